"""Words and rows for tests of the engine, made by the use cases that make them in earnest; and how they are now."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db.models.functions import Now

from consumers.breakers import Breakers
from consumers.delivery_rules import DeliveryRules, Rules
from gateway import outbox
from gateway.models import DeliveryAttempt, Notification, NotificationEvent, ProviderState
from gateway.request import NotificationRequest
from gateway.submission import submit_notification
from templates_app.models import Template
from tests.factories import TemplateFactory, UserFactory
from tests.published_words import publish_words
from users.channels import Channel
from users.models import User

#: Tries before a notification of these tests is given up.
MAX_ATTEMPTS = 3
RULES = DeliveryRules(default=Rules(max_attempts=MAX_ATTEMPTS))
EMAIL_WORDS = {"subject": "Welcome {{ name }}", "html": "<p>Dear {{ name }}</p>", "text": "Dear {{ name }}"}
PUSH_WORDS = {"title": "Hello {{ name }}", "body": "Your parcel is here.", "link": "https://shop.example/parcel"}


def a_template(
    channel: str = Channel.EMAIL,
    words: Mapping[str, Any] | None = None,
    variables: list[dict[str, Any]] | None = None,
    **fields: Any,
) -> Template:
    """A published template with English words and one variable, `name`."""
    template = TemplateFactory(**fields)
    usual = EMAIL_WORDS if channel == Channel.EMAIL else PUSH_WORDS
    publish_words(
        template,
        variables=variables or [{"name": "name", "type": "string", "example": "Ann"}],
        contents={("en", channel): words or usual},
    )
    return template


def submit(
    person: User,
    template: Template,
    *,
    channel: str = Channel.EMAIL,
    variables: dict[str, Any] | None = None,
    **asked: Any,
) -> Notification:
    """An accepted notification, due now."""
    request = NotificationRequest(
        channel=channel,
        user_id=person.public_id,
        template_code=template.code,
        variables={"name": person.name} if variables is None else variables,
        **asked,
    )
    return submit_notification(request, client="shop", mode="live").notification


def several(count: int, template: Template | None = None) -> list[Notification]:
    """So many accepted e-mail notifications to one person."""
    person, template = UserFactory(), template or a_template()
    return [submit(person, template) for _ in range(count)]


def claim(*notifications: Notification, holder: str = "consumer-1") -> list[Notification]:
    """Those of them a consumer gets."""
    ids = [each.pk for each in notifications]
    return outbox.claim(ids, channel=notifications[0].channel, holder=holder)[0]


def breakers_of(channel, *, rules: DeliveryRules = RULES, holder: str = "consumer-1", **options: Any) -> Breakers:
    """What a process of its own knows of a channel's providers."""
    return Breakers(channel.name, channel.provider_names(), rules=rules, holder=holder, **options)


def forget_providers() -> None:
    """As if no provider had ever been asked."""
    ProviderState.objects.all().delete()


def now_as(notification: Notification) -> Notification:
    """The row as it is in the database now."""
    return Notification.objects.get(pk=notification.pk)


def statuses_of(*notifications: Notification) -> list[str]:
    found = dict(Notification.objects.values_list("pk", "status"))
    return [found[each.pk] for each in notifications]


def attempts_of(notification: Notification) -> list[DeliveryAttempt]:
    return list(DeliveryAttempt.objects.filter(notification_id=notification.pk))


def events_of(notification: Notification) -> list[str]:
    return list(NotificationEvent.objects.filter(notification_id=notification.pk).values_list("type", flat=True))


def is_due(notification: Notification) -> bool:
    return Notification.objects.due().filter(pk=notification.pk).exists()


def make_due(*notifications: Notification) -> None:
    """Their waiting is over."""
    ids = [each.pk for each in notifications]
    Notification.objects.filter(pk__in=ids).update(available_at=Now())


def age(notification: Notification, column: str, by: timedelta) -> None:
    """Pretend that a moment lies so much further back."""
    Notification.objects.filter(pk=notification.pk).update(**{column: Now() - by})
