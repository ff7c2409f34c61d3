"""Use case: bring what dead processes of this host had written down into the database, before anything else."""

from collections import defaultdict
from pathlib import Path
from uuid import UUID

import structlog
from django.db import InterfaceError, OperationalError
from django.db.models import Count

from consumers.backoff import verdict_after
from consumers.delivery_rules import DeliveryRules
from consumers.outcome_journal import JournalLine, orphans
from gateway import tracking
from gateway.channel_contract import Outcome
from gateway.failpoints import failpoint
from gateway.models import DeliveryAttempt, Notification
from gateway.outbox import Held
from gateway.tracking import AttemptResult, Recorded

log = structlog.get_logger(__name__)


def replay_journals(folder: Path, *, rules: DeliveryRules) -> int:
    """Record the answers in journals nobody holds any more; returns how many answers there were. Repeatable."""
    count = 0
    for orphan in orphans(folder):
        try:
            if orphan.lines:
                tracking.record_outcomes(_recorded(orphan.lines, rules))
                log.info("Recorded what a dead process had left behind.", action="replay", answers=len(orphan.lines))
                failpoint("sweeper.replay_journals")
        except (OperationalError, InterfaceError):
            orphan.leave()
            raise
        except Exception:
            orphan.leave()
            log.exception("A journal cannot be recorded; it stays.", action="replay", journal=orphan.path.name)
            continue
        count += len(orphan.lines)
        orphan.discard()
    return count


def _recorded(lines: list[JournalLine], rules: DeliveryRules) -> list[Recorded]:
    groups: defaultdict[tuple[UUID, UUID], list[JournalLine]] = defaultdict(list)
    for line in lines:
        groups[(line.notification_id, line.claim_token)].append(line)
    known = Notification.objects.filter(pk__in={pk for pk, _ in groups}).values_list("pk", "tries_used", "channel")
    rows = {pk: (tries_used, channel) for pk, tries_used, channel in known}
    attempts = DeliveryAttempt.objects.filter(notification_id__in=rows, claim_token__in={token for _, token in groups})
    counts = attempts.values_list("notification_id", "claim_token").annotate(count=Count("pk"))
    handed_over = {(pk, token): count for pk, token, count in counts}
    return [
        Recorded(
            held=Held(pk, token),
            provider=answers[0].provider,
            attempts=tuple(AttemptResult(attempt_id=each.attempt_id, result=each.result) for each in answers),
            # An answer is missing for some device: what is in doubt is for the sweeper to say.
            verdict=verdict_after(
                [each.result for each in answers],
                provider=answers[0].provider,
                tries_used=rows[pk][0],
                rules=rules.of(rows[pk][1], answers[0].provider),
            )
            if len(answers) == handed_over.get((pk, token)) or _any_accepted(answers)
            else None,
        )
        for (pk, token), answers in groups.items()
        if pk in rows
    ]


def _any_accepted(answers: list[JournalLine]) -> bool:
    return any(each.result.outcome is Outcome.ACCEPTED for each in answers)
