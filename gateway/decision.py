"""What will become of a request: who, which words, may it go out now. Decides, writes nothing."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gateway import priorities
from gateway.database_clock import in_zone
from gateway.models import WaitingFor
from gateway.request import NotificationRequest
from gateway.statuses import Status
from templates_app.selection import Chosen, choose
from templates_app.variables import VariableFinding, check_values
from users.delivery_policy import Allow, DeferUntil, Suppress, decide
from users.recipients import CategoryRules, Recipient, rules_of

#: How long a notification is useful when its template does not say.
DEFAULT_TTL = timedelta(hours=72)


class DecisionRefused(Exception):
    """The request cannot become a notification; the subclasses say why."""


class UserNotFound(DecisionRefused):
    """`user_id` names nobody."""


class VariablesInvalid(DecisionRefused):
    """The variables do not fit; `findings` names each, `template` and `version` what they were held against."""

    def __init__(self, findings: list[VariableFinding], *, template: str, version: int) -> None:
        super().__init__("; ".join(each.detail for each in findings))
        self.findings = tuple(findings)
        self.template = template
        self.version = version


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Everything the row of a new notification needs."""

    recipient: Recipient
    chosen: Chosen
    locale: str
    variables: dict[str, Any]
    status: Status
    reason: str
    data: dict[str, str]
    waiting_for: str
    #: What the client is told, and when the row is due: a little later, where many wait for one moment.
    available_at: datetime
    due_at: datetime
    expires_at: datetime
    warnings: tuple[dict[str, str], ...]


#: (code, pinned version) → what `templates_app.selection.choose` gives or raises.
Choose = Callable[[str, int | None], Chosen]


def decide_request(
    request: NotificationRequest, *, recipient: Recipient | None, now: datetime, choose: Choose = choose
) -> Decision:
    """Every rule in order: the person, the template and its version, the channel, the variables, the person's wishes.

    `now` is the database's; a batch gives a `choose` that remembers. Raises `UserNotFound`, the exceptions of
    `templates_app.selection`, `VariablesInvalid`.
    """
    if recipient is None:
        raise UserNotFound(request.user_id)
    chosen = choose(request.template_code, request.template_version)
    template = chosen.template
    locale = chosen.words.locale_for(
        request.channel, requested=request.locale, persons=recipient.locale, default=template.default_locale
    )
    checked = check_values(chosen.words.variables, request.variables)
    if checked.findings:
        raise VariablesInvalid(list(checked.findings), template=template.code, version=chosen.words.number)
    first = first_status(
        recipient=recipient,
        channel=request.channel,
        category=rules_of(template.category),
        priority=request.priority,
        send_at=request.send_at,
        now=now,
    )
    start = request.send_at or now
    ttl = timedelta(seconds=template.ttl_seconds) if template.ttl_seconds else DEFAULT_TTL
    return Decision(
        recipient=recipient,
        chosen=chosen,
        locale=locale,
        variables=checked.values,
        status=first.status,
        reason=first.reason,
        data=first.data,
        waiting_for=first.waiting_for,
        available_at=first.available_at,
        due_at=first.due_at,
        expires_at=request.expires_at or start + ttl,
        warnings=tuple(
            {"code": "variable_unknown", "detail": f"The template does not use {name}."} for name in checked.unknown
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstStatus:
    """Where a notification begins, or begins anew when a person's wishes have changed."""

    status: Status
    reason: str
    data: dict[str, str]
    #: What is promised. A silence ends for many at one moment, so it may be taken up `spread` later.
    available_at: datetime
    spread: timedelta = timedelta(0)
    waiting_for: str = ""

    @property
    def due_at(self) -> datetime:
        """What the row gets: somewhere in the spread, another moment each time it is asked."""
        return spread_out(self.available_at, self.spread)


def first_status(
    *,
    recipient: Recipient,
    channel: str,
    category: CategoryRules,
    priority: int,
    send_at: datetime | None,
    now: datetime,
) -> FirstStatus:
    """What the person's wishes make of a message at the moment it may go out at the earliest."""
    is_critical = priority >= priorities.CRITICAL_FROM
    start = max(send_at or now, now)
    match decide(recipient, channel=channel, category=category, is_critical=is_critical, now=start):
        case Suppress(reason, data):
            return FirstStatus(status=Status.SUPPRESSED, reason=reason, data=data, available_at=now)
        case DeferUntil(moment, reason, data, spread):
            return FirstStatus(
                status=Status.ACCEPTED,
                reason=reason,
                data=data | {"t": in_zone(moment, recipient.timezone)},
                waiting_for=WaitingFor.QUIET_HOURS,
                available_at=moment,
                spread=spread,
            )
        case Allow() if start > now:
            return FirstStatus(
                status=Status.ACCEPTED,
                reason="scheduled",
                data={"t": in_zone(start, recipient.timezone)},
                waiting_for=WaitingFor.SCHEDULE,
                available_at=start,
            )
    return FirstStatus(status=Status.ACCEPTED, reason="waiting", data={}, available_at=now)


def spread_out(moment: datetime, spread: timedelta) -> datetime:
    """A moment at or after `moment`: what ends for many at once does not fall upon the providers at once."""
    return moment + spread * random.random()  # noqa: S311  no secret


def promised(available_at: datetime, reason: str) -> datetime:
    """What a client is told of a row's moment: the end of a silence, always a full minute, without its spread."""
    return available_at.replace(second=0, microsecond=0) if reason == "quiet_hours" else available_at
