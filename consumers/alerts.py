"""Tells operators that something is wrong, once per quiet period, and that it is over.

Any number of sweepers look. Whoever changes an alert's row by a guarded UPDATE sends the message; one that dies before
it has written down the result leaves it to the next, when the lease is over. No transaction is open while sending.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.db.models import Q
from django.db.models.functions import Now

from consumers.alert_posts import AlertMessage, Post, PostFailed
from consumers.alert_signs import SIGNS, Finding, Sign
from consumers.models import Alert

log = structlog.stdlib.get_logger(__name__)

#: How often is looked.
LOOK_EVERY = timedelta(seconds=10)
#: So long nothing must have been wrong before it is called over: what flickers is one trouble.
CALM_FOR = timedelta(minutes=2)
#: A message that is being sent belongs to one sweeper for so long; longer than all timeouts together.
LEASE = timedelta(minutes=3)
#: After a message that did not go out: the first pause, which doubles, and the longest.
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(minutes=15)

#: Where an operator looks. Written out: the sweeper does not load the admin's pages.
PAGES = {
    Alert.Kind.DEAD_LETTERS: "/admin/gateway/deadletter/",
    Alert.Kind.OLDEST_DUE: "/admin/consumers/serviceinstance/",
    Alert.Kind.BREAKER_OPEN: "/admin/gateway/providerstate/",
    Alert.Kind.DOUBTS: "/admin/gateway/notification/?status__exact=unknown",
    Alert.Kind.CALLBACKS_STOPPED: "/admin/gateway/callbackendpoint/",
    Alert.Kind.CREDENTIALS_REFUSED: "/admin/gateway/providerstate/",
    Alert.Kind.NEWS_AWAY: "/admin/consumers/serviceinstance/",
}


class AlertWatch:
    """Looks at all signs and sends what is due."""

    def __init__(self, posts: Sequence[Post], *, quiet: timedelta, signs: Mapping[Alert.Kind, Sign] = SIGNS) -> None:
        self._posts = {post.name: post for post in posts}
        self._quiet = quiet
        self._signs = signs

    def look(self) -> int:
        """One turn; returns how many messages went out."""
        for kind, sign in self._signs.items():
            try:
                self._note(kind, sign)
            except (OperationalError, InterfaceError):
                raise
            except Exception:
                # One sign with a fault must not hide the others.
                log.exception("A sign of trouble cannot be read.", action="alert", alert=kind.value)
        return sum([self._send(alert) for alert in Alert.objects.all() if self._is_ours_to_send(alert)])

    def _note(self, kind: Alert.Kind, sign: Sign) -> None:
        """Write down what is wrong now, and what no longer is."""
        known = {alert.subject: alert for alert in Alert.objects.filter(kind=kind)}
        told_up_to = known[""].told_up_to if "" in known else None
        found = list(sign(told_up_to))
        for finding in found:
            self._note_finding(finding)
        if [alert for subject, alert in known.items() if alert.over_at is None and subject not in _subjects(found)]:
            silent = Alert.objects.filter(kind=kind, over_at__isnull=True, seen_at__lte=Now() - CALM_FOR)
            silent.exclude(subject__in=_subjects(found)).update(over_at=Now())

    def _note_finding(self, finding: Finding) -> None:
        Alert.objects.get_or_create(kind=finding.kind, subject=finding.subject)
        rows = Alert.objects.filter(kind=finding.kind, subject=finding.subject)
        rows.filter(over_at__isnull=False).update(since=Now(), over_at=None)
        now = {"count": finding.count, "sentence": finding.sentence, "first": finding.first} if finding.count else {}
        rows.update(seen_at=Now(), newest_at=finding.newest_at, **now)

    def _is_ours_to_send(self, alert: Alert) -> bool:
        """Whether this process is the one that has to send a message about it now."""
        return self._begins_alarm(alert) or self._begins_all_clear(alert) or self._goes_on(alert)

    def _begins_alarm(self, alert: Alert) -> bool:
        if not alert.is_news:
            return False
        is_quiet_over = Q(told_at__isnull=True) | Q(told_at__lte=Now() - self._quiet)
        return self._begin(
            alert,
            Q(over_at__isnull=True) & is_quiet_over,
            message=Alert.Message.ALARM,
            told_at=Now(),
            waits_for=",".join(self._posts),
        )

    def _begins_all_clear(self, alert: Alert) -> bool:
        """To those who got the alarm; nobody else would know what it is about."""
        if alert.over_at is None or alert.message != Alert.Message.ALARM:
            return False
        over = Q(over_at__isnull=False, message=Alert.Message.ALARM)
        return self._begin(alert, over, message=Alert.Message.ALL_CLEAR, waits_for=alert.told_by)

    def _begin(self, alert: Alert, condition: Q, **columns: object) -> bool:
        """A new message takes the place of one that could not be sent, but not of one that is being sent."""
        free = Q(waits_for="") | Q(try_at__lte=Now())
        return self._take(alert, condition & free, tries=1, told_by="", **columns)

    def _goes_on(self, alert: Alert) -> bool:
        if not alert.waits_for:
            return False
        return self._take(alert, Q(try_at__lte=Now()) & ~Q(waits_for=""), tries=alert.try_count + 1)

    def _take(self, alert: Alert, condition: Q, *, tries: int, **columns: object) -> bool:
        """Compare and set: of all sweepers one changes the row, and it is ours to send then."""
        as_seen = Alert.objects.filter(condition, pk=alert.pk, edition=alert.edition)
        if not as_seen.update(edition=alert.edition + 1, try_count=tries, try_at=Now() + LEASE, **columns):
            return False
        alert.refresh_from_db()
        return True

    def _send(self, alert: Alert) -> int:
        """By each way it has still to go; what fails is tried again after a pause. Returns 1 when all is done."""
        message = message_about(alert)
        done = split(alert.told_by)
        left: list[str] = []
        for name in split(alert.waits_for):
            post = self._posts.get(name)  # a way that is no longer in the settings is forgotten
            if post is not None:
                (done if sent(post, message) else left).append(name)
        pause = min(FIRST_PAUSE * 2 ** min(alert.try_count - 1, 10), LONGEST_PAUSE)
        told = {"told_up_to": alert.newest_at} if done and message.state == Alert.Message.ALARM else {}
        Alert.objects.filter(pk=alert.pk, edition=alert.edition).update(
            told_by=",".join(done), waits_for=",".join(left), try_at=Now() + pause, **told
        )
        return int(bool(done) and not left)


def _subjects(found: Sequence[Finding]) -> set[str]:
    return {finding.subject for finding in found}


def sent(post: Post, message: AlertMessage) -> bool:
    """Whether it went out by this way; the log has it if not."""
    try:
        post.send(message)
    except PostFailed as trouble:
        log.warning("An alert did not go out.", action="alert", alert=message.alert, by=post.name, detail=str(trouble))
        return False
    log.info("Operators are told.", action="alert", alert=message.alert, state=message.state, by=post.name)
    return True


def message_about(alert: Alert) -> AlertMessage:
    """What operators read."""
    is_over = alert.message == Alert.Message.ALL_CLEAR
    title = f"[{settings.ENVIRONMENT}] {'Over: ' if is_over else ''}{alert}"
    sentence = f"It began at {alert.since:%Y-%m-%d %H:%M} UTC and is over." if is_over else alert.sentence
    return AlertMessage(
        alert=alert.kind,
        state=alert.message,
        title=title,
        sentence=sentence,
        count=0 if is_over else alert.count,
        first=str(alert.first or "") if not is_over else "",
        link=settings.PUBLIC_URL + PAGES[Alert.Kind(alert.kind)],
    )


def split(names: str) -> list[str]:
    """The names of a list with commas."""
    return [name for name in names.split(",") if name]
