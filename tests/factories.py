"""Rows for tests, made directly: as they would be in the middle of things, without the use cases that lead there.

Moments are database time, so the database's own clock makes them: `ago()` and `ahead()` are expressions.
"""

import uuid
from datetime import timedelta
from typing import Any

import factory
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Now

from gateway import statuses
from gateway.models import DeliveryAttempt, Notification
from gateway.statuses import Status
from templates_app.models import Template, TemplateContent, TemplateVersion
from users.api_keys import key_hash
from users.channels import Channel
from users.models import ApiKey, Device, User

#: Statuses in which a row keeps the token of its last holder.
WITH_TOKEN = statuses.HELD | {Status.UNKNOWN}


def ago(**how_long: float) -> CombinedExpression:
    """A moment in the past, by the database's clock: `ago(seconds=5)`."""
    return Now() - timedelta(**how_long)


def ahead(**how_long: float) -> CombinedExpression:
    """A moment to come, by the database's clock."""
    return Now() + timedelta(**how_long)


class UserFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = User

    external_id = factory.Sequence(lambda n: f"person-{n}")
    name = "Ann"
    email = factory.LazyAttribute(lambda person: f"{person.external_id}@example.com")


class DeviceFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Device

    user = factory.SubFactory(UserFactory)
    platform = Device.Platform.ANDROID
    name = "Phone"
    token = factory.Sequence(lambda n: f"token-{n:08}")


class ApiKeyFactory(factory.django.DjangoModelFactory):
    """A usable key; give `plain` to know its text."""

    class Meta:
        model = ApiKey

    class Params:
        plain = factory.Sequence(lambda n: f"ntf_live_{n:043}")

    name = "Shop"
    client = "shop"
    prefix = factory.LazyAttribute(lambda key: key.plain[:13])
    key_hash = factory.LazyAttribute(lambda key: key_hash(key.plain))
    scopes = ["notifications:write"]


class TemplateFactory(factory.django.DjangoModelFactory):
    """A template without versions; `PublishedVersionFactory` makes one that can be sent."""

    class Meta:
        model = Template

    code = factory.Sequence(lambda n: f"template_{n}")
    name = "Welcome"


class TemplateVersionFactory(factory.django.DjangoModelFactory):
    """A draft."""

    class Meta:
        model = TemplateVersion

    template = factory.SubFactory(TemplateFactory)
    number = factory.LazyAttribute(lambda version: version.template.versions.count() + 1)


class TemplateContentFactory(factory.django.DjangoModelFactory):
    """English words of a draft, for e-mail or with `channel=Channel.PUSH` for push."""

    class Meta:
        model = TemplateContent

    class Params:
        is_email = factory.LazyAttribute(lambda content: content.channel == Channel.EMAIL)

    version = factory.SubFactory(TemplateVersionFactory)
    locale = "en"
    channel = Channel.EMAIL
    subject = factory.Maybe("is_email", "Welcome", "")
    html = factory.Maybe("is_email", "<p>Good to see you.</p>", "")
    text = factory.Maybe("is_email", "Good to see you.", "")
    title = factory.Maybe("is_email", "", "Welcome")
    body = factory.Maybe("is_email", "", "Good to see you.")


class PublishedVersionFactory(TemplateVersionFactory):
    """The live version of its template, with English words for e-mail and push.

    Half of all tests need one: it is made with few questions to the database, past those that guard published words.
    """

    class Meta:
        skip_postgeneration_save = True

    number = 1
    state = TemplateVersion.State.PUBLISHED

    @factory.post_generation
    def publish(self, create: bool, extracted: Any, **kwargs: Any) -> None:
        words = [TemplateContentFactory.build(version=self, channel=channel) for channel in Channel]
        TemplateContent.objects.bulk_create(words)
        self.template.live_version = self
        Template.objects.filter(pk=self.template.pk).update(live_version=self)


class NotificationFactory(factory.django.DjangoModelFactory):
    """A notification that is due; in a held status with token and lease, as its holder would have left it."""

    class Meta:
        model = Notification

    client = "shop"
    fingerprint = "0" * 64
    channel = Channel.EMAIL
    user = factory.SubFactory(UserFactory)
    user_public_id = factory.LazyAttribute(lambda notification: notification.user.public_id)
    template_version = factory.SubFactory(PublishedVersionFactory)
    template = factory.LazyAttribute(lambda notification: notification.template_version.template)
    locale = "en"
    category_code = "updates"
    status = Status.ACCEPTED
    available_at = factory.LazyFunction(lambda: ago(seconds=5))
    expires_at = factory.LazyFunction(lambda: ahead(hours=72))
    claim_token = factory.LazyAttribute(lambda row: uuid.uuid4() if row.status in WITH_TOKEN else None)
    claimed_by = factory.LazyAttribute(lambda row: "consumer-1" if row.claim_token else "")
    lease_expires_at = factory.LazyAttribute(lambda row: ahead(seconds=30) if row.claim_token else None)
    provider = factory.LazyAttribute(lambda row: "capture" if row.status in {Status.SENDING, Status.UNKNOWN} else "")

    @classmethod
    def _create(cls, model_class: type[Notification], *args: Any, **kwargs: Any) -> Notification:
        row: Notification = super()._create(model_class, *args, **kwargs)
        row.refresh_from_db()  # the database reckoned its moments
        return row


class AttemptFactory(factory.django.DjangoModelFactory):
    """The first attempt of a notification that is being handed over, without an answer."""

    class Meta:
        model = DeliveryAttempt

    notification = factory.SubFactory(NotificationFactory, status=Status.SENDING)
    number = 1
    provider = "capture"
    claim_token = factory.LazyAttribute(lambda attempt: attempt.notification.claim_token)
