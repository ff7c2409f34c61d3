"""What the ledger keeps about a person: notifications, attempts, news. Named in the setting PERSONAL_DATA."""

from typing import Any

from django.db.models import Prefetch
from django.db.models.functions import Now

from gateway import attachments, outbox, reasons, statuses
from gateway.attachment_models import Attachment
from gateway.models import DeliveryAttempt, Notification, NotificationEvent, ProviderEvent, StatusCallback
from gateway.outbox import Held, Verdict
from gateway.querysets import NotificationQuerySet
from users.masking import HIDDEN, sensitive_names
from users.models import Suppression, User
from users.suppressions import erase_from_suppressions

#: Of a notification, of an attempt, of an event, of a provider's news: what the export tells.
_NOTIFICATION = (
    *("id", "created_at", "client", "request_id", "channel", "user_public_id", "locale", "category_code", "priority"),
    *("metadata", "status", "reason", "provider", "send_at", "available_at", "expires_at", "sent_at", "delivered_at"),
)
_ATTEMPT = ("number", "provider", "outcome", "provider_code", "detail", "started_at", "ended_at")
_EVENT = ("type", "at", "reason", "data")
_NEWS = ("type", "provider", "occurred_at", "recorded_at", "detail")


class NotificationsOfPerson:
    """Implements `users.privacy.PersonalData`."""

    name = "notifications"

    def export(self, person: User) -> list[dict[str, Any]]:
        """Each with its variables, as long as they are kept; sensitive ones are hidden."""
        rows = (
            Notification.objects.filter(user_id=person.pk).order_by("pk").select_related("template_version__template")
        )
        files = Prefetch("attachments", Attachment.objects.select_related("file").defer("file__content"))
        together = rows.prefetch_related("attempts", "events", "provider_events", files)
        return [_exported(each) for each in together.iterator(chunk_size=500)]

    def erase(self, person: User) -> int:
        """Cancel what waits, and remove from all of them whatever names the person but their id."""
        theirs = Notification.objects.filter(user_id=person.pk)
        waiting = theirs.filter(status__in=statuses.CANCEL.sources).values_list("pk", flat=True)
        verdict = Verdict(change=statuses.CANCEL, reason="erased")
        outbox.settle([(Held(pk), verdict) for pk in waiting])
        for model in (DeliveryAttempt, ProviderEvent):
            model._default_manager.filter(notification__user_id=person.pk).exclude(detail="").update(detail="")
        NotificationEvent.objects.filter(notification__user_id=person.pk).update(data={})
        StatusCallback.objects.filter(notification__user_id=person.pk).update(body="", reason_data={})
        attachments.erase(theirs.filter(attachment_count__gt=0).values_list("pk", flat=True))
        # Also of addresses they had before.
        erase_from_suppressions(Suppression.objects.filter(notification_id__in=theirs.values("pk")))
        _say_without_a_name(theirs)
        return theirs.update(variables={}, metadata={}, reason_data={}, has_sensitive=False, content_deleted_at=Now())


def _say_without_a_name(theirs: NotificationQuerySet) -> None:
    """The first answer, kept to be repeated, may hold a sentence with the name in it."""
    named = [row for row in theirs.only("pk", "first_answer") if "detail" in row.first_answer]
    for row in named:
        row.first_answer["detail"] = reasons.sentence(row.first_answer["reason"], {})
    Notification.objects.bulk_update(named, ["first_answer"], batch_size=500)


def _exported(notification: Notification) -> dict[str, Any]:
    return {
        **_of(notification, _NOTIFICATION),
        "template_code": notification.template_version.template.code,
        "template_version": notification.template_version.number,
        "variables": without_sensitive(notification),
        "content_deleted_at": notification.content_deleted_at,
        "attachments": [_file(each) for each in notification.attachments.all()],
        "attempts": [_of(each, _ATTEMPT) for each in notification.attempts.all()],
        "events": [_of(each, _EVENT) for each in notification.events.all()],
        "news_of_providers": [_of(each, _NEWS) for each in notification.provider_events.all()],
    }


def _file(attachment: Attachment) -> dict[str, Any]:
    file = attachment.file
    return {"filename": attachment.filename, "content_type": file.content_type, "size": file.size}


def _of(row: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def without_sensitive(notification: Notification) -> dict[str, Any]:
    """The variables as people may see them."""
    hidden = sensitive_names(notification.template_version.variables)
    return {name: HIDDEN if name in hidden else value for name, value in notification.variables.items()}
