"""What will become of a request: who, which words, may it go out now. Decides, writes nothing."""

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
    available_at: datetime
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
    first = _first_status(request, recipient, rules_of(template.category), now)
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
        expires_at=request.expires_at or start + ttl,
        warnings=tuple(
            {"code": "variable_unknown", "detail": f"The template does not use {name}."} for name in checked.unknown
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _First:
    status: Status
    reason: str
    data: dict[str, str]
    available_at: datetime
    waiting_for: str = ""


def _first_status(request: NotificationRequest, recipient: Recipient, category: CategoryRules, now: datetime) -> _First:
    is_critical = request.priority >= priorities.CRITICAL_FROM
    start = max(request.send_at or now, now)
    match decide(recipient, channel=request.channel, category=category, is_critical=is_critical, now=start):
        case Suppress(reason, data):
            return _First(status=Status.SUPPRESSED, reason=reason, data=data, available_at=now)
        case DeferUntil(moment, reason, data):
            shown = data | {"t": in_zone(moment, recipient.timezone)}
            waits = WaitingFor.QUIET_HOURS
            return _First(status=Status.ACCEPTED, reason=reason, data=shown, waiting_for=waits, available_at=moment)
        case Allow() if start > now:
            return _First(
                status=Status.ACCEPTED,
                reason="scheduled",
                data={"t": in_zone(start, recipient.timezone)},
                waiting_for=WaitingFor.SCHEDULE,
                available_at=start,
            )
    return _First(status=Status.ACCEPTED, reason="waiting", data={}, available_at=now)
