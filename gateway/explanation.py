"""One notification in plain words: what is known of it now, and every step so far. Read by admin, API and command."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gateway import reasons
from gateway.channel_contract import EventType, Outcome
from gateway.models import DeliveryAttempt, Notification, NotificationEvent, ProviderEvent
from gateway.provider_order import CAPTURE
from gateway.simulation import SIMULATOR
from gateway.statuses import Status
from users.moments import clock

#: How sentences call a provider.
PROVIDERS: dict[str, str | Promise] = {
    CAPTURE: gettext_lazy("The inbox of captured messages"),
    SIMULATOR: gettext_lazy("The simulator"),
}
#: These sentences tell the moment by the person's own clock, as it was written down with the reason.
PERSONS_CLOCK = frozenset({"quiet_hours"})
#: Nobody should take a captured message for one that has left.
KEPT = gettext_lazy("It is in the inbox of captured messages and went to nobody else.")
#: Of `sent`, where its provider reports deliveries or bounces.
REPORTS = gettext_lazy("{provider} accepted it, and may still report what became of it.")

#: The colour of a status: success, info, warning, danger; plain for the rest.
TONES: dict[str, str] = {
    Status.QUEUED: "info",
    Status.CLAIMED: "info",
    Status.SENDING: "info",
    Status.UNKNOWN: "warning",
    Status.SENT: "success",
    Status.DELIVERED: "success",
    Status.BOUNCED: "danger",
    Status.SUPPRESSED: "warning",
    Status.EXPIRED: "warning",
    Status.FAILED: "danger",
}

#: What an attempt came to: sentence, tone.
OUTCOMES: dict[str | None, tuple[str | Promise, str]] = {
    Outcome.ACCEPTED: (gettext_lazy("{provider} took it."), "success"),
    Outcome.TRANSIENT: (gettext_lazy("{provider} could not take it just now."), "warning"),
    Outcome.THROTTLED: (gettext_lazy("{provider} asked us to slow down."), "warning"),
    Outcome.PERMANENT: (gettext_lazy("{provider} refused it for good."), "danger"),
    Outcome.MISCONFIGURED: (gettext_lazy("{provider} refused our credentials or settings."), "danger"),
    Outcome.UNKNOWN: (gettext_lazy("No answer after the hand-over: it may have gone out."), "warning"),
    None: (gettext_lazy("Handed over; no answer yet."), "info"),
}

#: Steps that are no status, or that read differently in a timeline: title, sentence.
EVENTS: dict[str, tuple[str | Promise, str | Promise]] = {
    "sent": (gettext_lazy("Handed over"), gettext_lazy("{provider} accepted it.")),
    "released": (
        gettext_lazy("Given back"),
        gettext_lazy("Its consumer stopped before the hand-over; it is free again."),
    ),
    "possible_duplicate": (
        gettext_lazy("Sent again after a doubt"),
        gettext_lazy("No proof arrived in time, so it goes out once more; it may arrive twice."),
    ),
    "replayed": (gettext_lazy("Replayed"), gettext_lazy("{who} gave it another life[: {why}].")),
    "discarded": (gettext_lazy("Discarded"), gettext_lazy("{who} laid it aside for good[: {why}].")),
    "late_answer": (gettext_lazy("Late answer"), gettext_lazy("{provider} had accepted it; its answer came late.")),
    "deferred": (gettext_lazy("Deferred"), gettext_lazy("{provider} still tries to deliver it.")),
    "complained": (gettext_lazy("Complained"), gettext_lazy("The person reported it as spam.")),
    "opened": (gettext_lazy("Opened"), gettext_lazy("The person opened it.")),
    "clicked": (gettext_lazy("Clicked"), gettext_lazy("The person followed a link in it.")),
    "unsubscribed": (
        gettext_lazy("Unsubscribed"),
        gettext_lazy("The person told {provider} that they want no more mails like this."),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Where a notification is, for somebody who asks: word, sentence, what one can do."""

    word: str
    sentence: str
    action: str
    tone: str
    #: When it came to be so.
    at: datetime
    #: Short remarks beside the status, such as: may have been sent twice.
    markers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step in the life of a notification."""

    at: datetime
    title: str
    sentence: str
    #: A status, `attempt`, or an event type: the API's `type`.
    kind: str
    tone: str = ""
    #: What else is known, for those who look closer: the API's `data`.
    details: dict[str, Any] = field(default_factory=dict)
    duration_ms: int | None = None


def answer(notification: Notification) -> Answer:
    """What to tell somebody who asks. Times are those of the active zone; no query."""
    code = notification.reason
    known = reasons.REASONS.get(code)
    is_kept = notification.provider == CAPTURE and notification.status in (Status.SENT, Status.DELIVERED)
    return Answer(
        word=reasons.word(code),
        sentence=str(KEPT) if is_kept else _sentence(notification),
        action=str(known.action) if known and not is_kept else "",
        tone=TONES.get(notification.status, ""),
        at=notification.delivered_at or notification.sent_at or notification.updated_at
        if notification.status in (Status.SENT, Status.DELIVERED)
        else notification.updated_at,
        markers=tuple(_markers(notification)),
    )


def timeline(notification: Notification) -> list[Step]:
    """Every step so far, oldest first. Three queries, none where they are prefetched."""
    news = list(notification.provider_events.all())
    steps = [_first_step(notification)]
    steps += [_attempt_step(each) for each in notification.attempts.all()]
    steps += _event_steps(notification.events.all(), news)
    steps += [_news_step(each) for each in news]
    return sorted(steps, key=attrgetter("at"))  # stable: attempts before what followed from them


def _sentence(notification: Notification) -> str:
    data = _spoken(_current_data(notification))
    if notification.status == Status.SENT and notification.awaits_news and "provider" in data:
        return str(REPORTS).format(provider=data["provider"])
    return reasons.sentence(notification.reason, data)


def _current_data(notification: Notification) -> dict[str, Any]:
    """The values of the sentence; moments come from the row, so that they are told in the reader's zone."""
    data: dict[str, Any] = {"channel": notification.channel, **notification.reason_data}
    if notification.provider:
        data.setdefault("provider", notification.provider)
    if notification.status == Status.EXPIRED:
        data["t"] = clock(notification.expires_at)
    elif notification.status in (Status.ACCEPTED, Status.QUEUED) and notification.reason not in PERSONS_CLOCK:
        data["t"] = clock(notification.available_at)
    return data


def _spoken(data: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a sentence in words."""
    spoken = dict(data)
    for key, words in (("provider", PROVIDERS), ("channel", reasons.CHANNELS)):
        if key in spoken:
            spoken[key] = words.get(spoken[key], spoken[key])
    return spoken


def _markers(notification: Notification) -> Iterator[str]:
    if notification.is_simulated:
        yield _("Test only")
    if notification.possible_duplicate:
        yield _("May have been sent twice")
    if notification.discarded_at:
        yield _("Discarded")
    if notification.complained:
        yield _("Complained")


def _first_step(notification: Notification) -> Step:
    """The acceptance is told by the row itself."""
    first = notification.first_answer
    code = str(first.get("reason", "waiting"))
    details = {"client": notification.client, "priority": notification.priority, "locale": notification.locale}
    if notification.request_id is not None:
        details["request_id"] = notification.request_id
    if first.get("status") == Status.SUPPRESSED:
        sentence = reasons.sentence(code, _spoken(_current_data(notification)))
        return Step(
            at=notification.created_at,
            title=reasons.word(code),
            sentence=sentence,
            kind=Status.SUPPRESSED.value,
            tone=TONES[Status.SUPPRESSED],
            details=details,
        )
    sentence = _("Accepted from {client}.").format(client=notification.client)
    if code != "waiting" and first.get("available_at"):
        moment = clock(datetime.fromisoformat(str(first["available_at"])))
        sentence += " " + _("{word}: due at {t}.").format(word=reasons.word(code), t=moment)
    return Step(
        at=notification.created_at,
        title=_("Accepted"),
        sentence=sentence,
        kind=Status.ACCEPTED.value,
        details=details,
    )


def _attempt_step(attempt: DeliveryAttempt) -> Step:
    provider = str(PROVIDERS.get(attempt.provider, attempt.provider))
    words, tone = OUTCOMES[attempt.outcome]
    sentence = str(words).format(provider=provider)
    if attempt.detail or attempt.provider_code:
        sentence += " " + _("It said: {words}").format(words=f"{attempt.provider_code} {attempt.detail}".strip())
    details = {
        "number": attempt.number,
        "provider": attempt.provider,
        "outcome": attempt.outcome,
        "device_id": str(attempt.device_id) if attempt.device_id else None,
        "error_code": attempt.error_code,
        "provider_code": attempt.provider_code,
        "provider_message_id": attempt.provider_message_id,
        "retry_after": attempt.retry_after,
    }
    return Step(
        at=attempt.started_at,
        title=_("Attempt {number} by {provider}").format(number=attempt.number, provider=attempt.provider),
        sentence=sentence,
        kind="attempt",
        tone=tone,
        details={key: value for key, value in details.items() if value not in (None, "")},
        duration_ms=attempt.duration_ms,
    )


def _event_steps(events: Iterable[NotificationEvent], news: list[ProviderEvent]) -> Iterator[Step]:
    """Status changes; one that follows from a provider's news takes that news in, so that it is told once."""
    for event in events:
        cause = next((each for each in news if each.type == event.type), None)
        if cause is not None:
            news.remove(cause)
        yield Step(
            at=event.at,
            title=_event_title(event),
            sentence=_event_sentence(event),
            kind=event.type,
            tone=TONES.get(event.type, ""),
            details=_without_secrets(event.data) | (_news_details(cause) if cause else {}),
        )


def _without_secrets(data: Mapping[str, Any]) -> dict[str, Any]:
    """A late answer keeps the claim token it came with, to be told once; that is nobody else's business."""
    return {key: value for key, value in data.items() if key != "token"}


def _event_title(event: NotificationEvent) -> str:
    return str(EVENTS[event.type][0]) if event.type in EVENTS else reasons.word(event.reason)


def _event_sentence(event: NotificationEvent) -> str:
    data = _spoken(event.data)
    if "who" in data and event.type in (Status.SENT, Status.FAILED):
        words = _("{who} settled the doubt: it arrived.") if event.type == Status.SENT else _("{who} gave it up.")
        return words.format(who=data["who"])
    if event.type == Status.DELIVERED and event.data.get("provider") == CAPTURE:
        return _("The inbox reported it as delivered, as a mail server would.")
    if event.type == event.reason == "retrying":  # the attempt before it tells what went wrong
        return reasons.fill(_("It is tried again[ ({n} of {m})]."), data)
    if event.type in EVENTS:
        return reasons.fill(EVENTS[event.type][1], data)
    sentence = reasons.sentence(event.reason, data)
    # Some sentences hold the provider's words already.
    if event.type == Status.BOUNCED and (words := str(event.data.get("error", ""))) and words[:40] not in sentence:
        sentence += " " + _("It said: {words}").format(words=words)
    return sentence


def _news_step(news: ProviderEvent) -> Step:
    title, words = EVENTS.get(news.type, (reasons.word(news.type), _("{provider} reported it.")))
    sentence = reasons.fill(words, _spoken({"provider": news.provider}))
    if news.type == EventType.DELIVERED and news.detail:  # the receiving domain
        sentence = reasons.sentence("delivered", {"domain": news.detail})
    elif news.detail:
        sentence += " " + _("It said: {words}").format(words=news.detail)
    return Step(
        at=news.recorded_at,
        title=str(title),
        sentence=sentence,
        kind=news.type,
        tone=TONES.get(news.type, ""),
        details=_news_details(news),
    )


def _news_details(news: ProviderEvent) -> dict[str, Any]:
    details: dict[str, Any] = {"provider": news.provider, "event_id": news.event_id, "detail": news.detail}
    if news.occurred_at:
        details["occurred_at"] = news.occurred_at.isoformat()
    return {key: value for key, value in details.items() if value}
