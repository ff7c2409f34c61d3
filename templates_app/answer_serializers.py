"""What the API of templates answers, for its description."""

from typing import Any

from rest_framework import serializers

from templates_app.models import OnUnknown, TemplateVersion
from users.channels import Channel


class TemplateLinksSerializer(serializers.Serializer[Any]):
    """Where to go on."""

    self = serializers.CharField()
    versions = serializers.CharField()
    preview = serializers.CharField()


class TemplateSerializer(serializers.Serializer[Any]):
    """A template; channels, locales and variables are those of the live version."""

    id = serializers.UUIDField()
    code = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    category = serializers.CharField()
    default_locale = serializers.CharField()
    layout = serializers.CharField()
    ttl_seconds = serializers.IntegerField(allow_null=True)
    on_unknown = serializers.ChoiceField(choices=OnUnknown.choices)
    status = serializers.ChoiceField(choices=("active", "archived"))
    live_version = serializers.IntegerField(allow_null=True)
    draft_version = serializers.IntegerField(allow_null=True)
    channels = serializers.ListField(child=serializers.ChoiceField(choices=Channel.choices))
    locales = serializers.ListField(child=serializers.CharField())
    variables = serializers.ListField(child=serializers.DictField())
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    links = TemplateLinksSerializer()


class FindingSerializer(serializers.Serializer[Any]):
    """One thing to mend or to look at."""

    level = serializers.ChoiceField(choices=("error", "warning"))
    code = serializers.CharField()
    path = serializers.CharField()
    line = serializers.IntegerField(allow_null=True)
    detail = serializers.CharField()


class VersionLineSerializer(serializers.Serializer[Any]):
    """A version in a list."""

    version = serializers.IntegerField()
    state = serializers.ChoiceField(choices=TemplateVersion.State.choices)
    note = serializers.CharField()
    created_by = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    published_at = serializers.DateTimeField(allow_null=True)
    sent_count = serializers.IntegerField()
    variables = serializers.ListField(child=serializers.DictField())


class VersionAnswerSerializer(VersionLineSerializer):
    """A version in full."""

    contents = serializers.DictField(child=serializers.DictField(child=serializers.DictField()))
    findings = FindingSerializer(many=True)


class ChangeSerializer(serializers.Serializer[Any]):
    """One field that differs."""

    path = serializers.CharField()
    to = serializers.JSONField(allow_null=True)

    def get_fields(self) -> dict[str, Any]:
        """`from` is a word of Python."""
        return {"from": serializers.JSONField(allow_null=True), **super().get_fields()}


class DiffSerializer(serializers.Serializer[Any]):
    """What differs between two versions."""

    to = serializers.IntegerField()
    changes = ChangeSerializer(many=True)
    variables_added = serializers.ListField(child=serializers.CharField())
    variables_removed = serializers.ListField(child=serializers.CharField())
    variables_now_required = serializers.ListField(child=serializers.CharField())

    def get_fields(self) -> dict[str, Any]:
        """`from` is a word of Python."""
        return {"from": serializers.IntegerField(), **super().get_fields()}


class TemplateListSerializer(serializers.Serializer[Any]):
    """A page of templates, newest first."""

    results = TemplateSerializer(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class VersionListSerializer(serializers.Serializer[Any]):
    """A page of versions, newest first."""

    results = VersionLineSerializer(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class PreviewAnswerSerializer(serializers.Serializer[Any]):
    """Words with values."""

    template_code = serializers.CharField(allow_null=True)
    version = serializers.IntegerField(allow_null=True)
    locale = serializers.CharField()
    notification_type = serializers.ChoiceField(choices=Channel.choices)
    rendered = serializers.DictField()
    findings = FindingSerializer(many=True)
