"""The shapes of requests and answers about templates. No writes in here."""

from collections.abc import Collection, Mapping
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from templates_app.content_fields import ContentsField, LinesText, LocaleText, clean_fields, field_problems, wrong
from templates_app.models import CODE, Layout, OnUnknown
from templates_app.variables import DeclarationInvalid, check_shape, variables_to_json
from users.channels import Channel
from users.models import Category
from users.strict_serializers import JsonBoolean, JsonInteger, OneOf, PlainText, StrictSerializer, Wrong

#: Bytes of a body: an HTML source per language.
LARGEST_BODY = 1024 * 1024
LONGEST_NAME, LONGEST_DESCRIPTION, LONGEST_NOTE = 200, 1000, 1000
LIVE, DRAFT = "live", "draft"


@extend_schema_field(
    {
        "type": "array",
        "items": {"type": "object"},
        "example": [{"name": "name", "type": "string", "required": True, "example": "Ann"}],
    }
)
class VariablesField(serializers.Field[Any, Any, Any, Any]):
    """Declared variables, in full."""

    def to_internal_value(self, data: Any) -> list[dict[str, Any]]:
        """All findings at once."""
        if not isinstance(data, list):
            raise serializers.ValidationError("The variables are a list of objects.", code="invalid")
        try:
            return variables_to_json(data)
        except DeclarationInvalid as error:
            raise serializers.ValidationError(_nested(error)) from error

    def to_representation(self, value: Any) -> Any:
        """As it is stored."""
        return value


def _nested(error: DeclarationInvalid) -> Any:
    """Findings by pointer as DRF nests them."""
    root: dict[str, Any] = {}
    for each in error.findings:
        steps = each.pointer.split("/")[2:]
        if not steps:
            return wrong(each.code, each.detail)
        place = root
        for step in steps[:-1]:
            inner = place.setdefault(step, {})
            place = inner if isinstance(inner, dict) else {}
        place.setdefault(steps[-1], wrong(each.code, each.detail))
    return root


class TemplateChangeSerializer(StrictSerializer):
    """`PATCH /api/v1/templates/{template}/`."""

    code = PlainText(required=False, allow_null=True, validators=[CODE])
    name = PlainText(required=False, allow_null=True, max_length=LONGEST_NAME)
    description = LinesText(required=False, allow_null=True, allow_blank=True, max_length=LONGEST_DESCRIPTION)
    category = PlainText(required=False, allow_null=True)
    default_locale = LocaleText(required=False, allow_null=True)
    layout = PlainText(required=False, allow_null=True)
    ttl_seconds = JsonInteger(required=False, allow_null=True, min_value=60, max_value=2_592_000)
    on_unknown = OneOf(choices=OnUnknown.choices, required=False, allow_null=True)
    status = OneOf(choices=("active", "archived"), required=False, allow_null=True)

    def validate_category(self, code: str | None) -> str | None:
        """One that exists."""
        if code is not None and not Category.objects.filter(pk=code).exists():
            raise serializers.ValidationError("There is no such category.", code="invalid_choice")
        return code

    def validate_layout(self, code: str | None) -> str | None:
        """One that exists; `default` always does."""
        if code not in (None, "default") and not Layout.objects.filter(code=code).exists():
            raise serializers.ValidationError("There is no such layout.", code="invalid_choice")
        return code

    def columns(self) -> dict[str, Any]:
        """What is to be set; null counts as absent, but for `ttl_seconds`, where it means the usual time."""
        given = {
            name: value
            for name, value in self.validated_data.items()
            if (value is not None or name == "ttl_seconds") and name not in ("variables", "contents", "publish")
        }
        if "category" in given:
            given["category_id"] = given.pop("category")
        if "status" in given:
            given["is_archived"] = given.pop("status") == "archived"
        return given


class TemplateCreateSerializer(TemplateChangeSerializer):
    """`POST /api/v1/templates/`; may carry the first draft, and publish it."""

    code = PlainText(validators=[CODE])
    status = None  # type: ignore[assignment]  # DRF's way to take a field out: a new template is active
    variables = VariablesField(required=False, allow_null=True)
    contents = ContentsField(required=False, allow_null=True)
    publish = JsonBoolean(required=False, allow_null=True)


class VersionSerializer(StrictSerializer):
    """`PUT` and `PATCH …/versions/{n}/`."""

    variables = VariablesField(required=False, allow_null=True)
    contents = ContentsField(required=False, allow_null=True)
    note = LinesText(required=False, allow_null=True, allow_blank=True, max_length=LONGEST_NOTE)


class VersionCreateSerializer(VersionSerializer):
    """`POST …/versions/`."""

    from_version = JsonInteger(required=False, allow_null=True, min_value=1)

    def contradictions(self, given: dict[str, Any], refused: Collection[str]) -> Wrong:
        """A copy, or words: not both."""
        named = {name for name, value in given.items() if value is not None} | set(refused)
        if "from_version" in named and named & {"variables", "contents"}:
            return {"from_version": wrong("invalid", "Either from_version, or variables and contents.")}
        return {}


class PublishSerializer(StrictSerializer):
    """`POST …/publish/`."""

    note = LinesText(required=False, allow_null=True, allow_blank=True, max_length=LONGEST_NOTE)
    acknowledge_breaking = JsonBoolean(required=False, allow_null=True)


class RevertSerializer(StrictSerializer):
    """`POST …/revert/`."""

    note = LinesText(required=False, allow_null=True, allow_blank=True, max_length=LONGEST_NOTE)


@extend_schema_field({"oneOf": [{"type": "integer", "minimum": 1}, {"type": "string", "enum": [LIVE, DRAFT]}]})
class VersionChoice(serializers.Field[Any, Any, Any, Any]):
    """A number, `live` or `draft`."""

    def to_internal_value(self, data: Any) -> int | str:
        """As it was given."""
        is_number = isinstance(data, int) and not isinstance(data, bool) and 0 < data < 2**31
        if not is_number and data not in (LIVE, DRAFT):
            raise serializers.ValidationError("Use the number of a version, live or draft.", code="invalid")
        return data  # type: ignore[no-any-return]  # one of the two, as just checked

    def to_representation(self, value: Any) -> Any:
        """Never shown."""
        return value


@extend_schema_field(OpenApiTypes.OBJECT)
class ValuesField(serializers.Field[Any, Any, Any, Any]):
    """Variables as a client sends them."""

    def to_internal_value(self, data: Any) -> Any:
        """Within the limits for any variables."""
        if problems := check_shape(data):
            root: dict[str, Any] = {}
            for each in problems:
                if each.pointer == "/variables":
                    raise serializers.ValidationError(each.detail, code=each.code)
                root[each.pointer.removeprefix("/variables/")] = wrong(each.code, each.detail)
            raise serializers.ValidationError(root)
        return data

    def to_representation(self, value: Any) -> Any:
        """Never shown."""
        return value


class PreviewSerializer(StrictSerializer):
    """`POST …/{template}/preview/`."""

    version = VersionChoice(required=False, allow_null=True)
    locale = LocaleText(required=False, allow_null=True)
    notification_type = OneOf(choices=Channel.choices, required=False, allow_null=True)
    variables = ValuesField(required=False, allow_null=True)


@extend_schema_field(OpenApiTypes.OBJECT)
class LooseContentField(serializers.Field[Any, Any, Any, Any]):
    """The fields of one content; which are right depends on the channel."""

    def to_internal_value(self, data: Any) -> Any:
        """An object."""
        if not isinstance(data, Mapping):
            raise serializers.ValidationError("This is an object with the words.", code="invalid")
        return data

    def to_representation(self, value: Any) -> Any:
        """Never shown."""
        return value


class LoosePreviewSerializer(PreviewSerializer):
    """`POST /api/v1/templates/preview/`: of a stored template, or of words that are stored nowhere."""

    template_code = PlainText(required=False, allow_null=True, max_length=100)
    content = LooseContentField(required=False, allow_null=True)

    def contradictions(self, given: dict[str, Any], refused: Collection[str]) -> Wrong:
        """One of the two; the words fit the channel."""
        found: dict[str, Any] = {}
        content = given.get("content")
        named = [name for name in ("template_code", "content") if given.get(name) is not None or name in refused]
        if len(named) != 1:
            found["template_code"] = wrong("required", "Give template_code, or content instead.")
        if content is not None and given.get("version") is not None:
            found["version"] = wrong("invalid", "Loose content has no versions.")
        if content is not None and "notification_type" not in refused:
            channel = given.get("notification_type") or channel_of(content)
            if problems := dict(field_problems(channel, content)):
                found["content"] = problems
        return found

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The words as they are kept, and what they are for."""
        content = attrs.get("content")
        if content is None:
            return attrs
        channel = attrs.get("notification_type") or channel_of(content)
        return attrs | {"notification_type": channel, "content": clean_fields(content)}


def channel_of(content: Mapping[str, Any]) -> str:
    """What words without a channel are for."""
    is_push = bool(content.keys() & {"title", "body"}) and not content.keys() & {"subject", "html"}
    return Channel.PUSH if is_push else Channel.EMAIL
