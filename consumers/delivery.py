"""The life of one batch: claim, prepare, hand over, record. No transaction is open while a provider is called."""

import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import cast
from uuid import UUID

import structlog
from django.db import InterfaceError, OperationalError, close_old_connections
from uuid_utils.compat import uuid7

from consumers import delivery_log, delivery_metrics
from consumers.backoff import throttled_wait, verdict_after
from consumers.breakers import Breakers
from consumers.delivery_rules import DeliveryRules, Rules
from consumers.hand_over import HELD_UP, InHand, Leg, TooLate, Try, Way, by_way, fitting
from consumers.outcome_journal import JournalLine, OutcomeJournal
from consumers.preparation import Ready, prepare
from consumers.provider_choice import Nobody, ProviderChoice
from gateway import outbox, statuses, tracking
from gateway.channel_contract import Channel, Message, Outcome, Provider, SendResult
from gateway.claimed import Claimed
from gateway.consequences import follow_successes
from gateway.failpoints import failpoint
from gateway.outbox import Held, Verdict
from gateway.simulation import SIMULATOR, news_after
from gateway.time_scale import scaled
from gateway.tracking import AttemptResult, HandOver, Recorded
from users.channels import Channel as ChannelName

log = structlog.get_logger(__name__)

#: So many notifications are handed over between two commits, at first and at most.
FIRST_HAND_OVER, LARGEST_HAND_OVER = 20, 100
#: A hand-over shorter than this grows, one longer than that shrinks: it bounds what a crash leaves in doubt. Twice a
#: short one is not yet long.
SHORT, LONG = timedelta(milliseconds=125), timedelta(milliseconds=250)
#: What is not handed over so long after the claim is given back, well before its lease is over.
HAND_OVER_WITHIN = scaled(timedelta(seconds=10))
#: Longer after the hand-over mark nothing more is handed over: one last call of 30 s still ends before the sweeper
#: calls the outcome unknown and somebody else may send it.
HAND_OVER_ENDS_AFTER = scaled(timedelta(seconds=30))
#: Pause between two tries to record an outcome while the database is away.
RECORD_AGAIN = timedelta(milliseconds=500)
#: Between two tries of what is simulated: whoever tests does not want to wait.
SIMULATED_WAIT = timedelta(seconds=1)
#: Our word for an answer that is not the provider's.
BROKEN_OFF = "broken_off"
#: Outcomes that speak against the provider.
BAD = frozenset({Outcome.TRANSIENT, Outcome.UNKNOWN, Outcome.MISCONFIGURED})


class Delivery:
    """Delivers batches of one channel. One instance per sender thread: it owns provider connections and a journal."""

    def __init__(
        self,
        channel: Channel,
        *,
        holder: str,
        journal_folder: Path,
        rules: DeliveryRules,
        breakers: Breakers,
        stopping: threading.Event | None = None,
        on_dropped: Callable[[Collection[UUID]], None] = lambda ids: None,
    ) -> None:
        self._channel = channel
        self._holder = holder
        self._rules = rules
        self._breakers = breakers
        self._providers = ProviderChoice(channel, breakers, rules)
        self._stopping = stopping or threading.Event()
        #: Told of ids that could not be claimed.
        self._on_dropped = on_dropped
        self._journal = OutcomeJournal(journal_folder)
        self._size = FIRST_HAND_OVER
        self._has_unrecorded = False

    def deliver(self, ids: Sequence[UUID], *, again: Collection[UUID] = ()) -> int:
        """Deliver what can be claimed of `ids`; returns how many notifications were handed over.

        Those of them that are `again` were with a consumer that has gone: its claim is not waited for.
        """
        count = 0
        while ids and not self._stopping.is_set():
            asked = set(ids)
            claimed, ids = outbox.claim(ids, channel=self._channel.name, holder=self._holder, abandoned=again)
            if dropped := asked.difference(ids, [each.pk for each in claimed]):
                self._on_dropped(dropped)
            if not claimed:
                break
            if nobody := self._providers.nobody():
                if real := [each for each in claimed if not each.is_simulated]:
                    self._postpone(real, nobody)
                claimed = [each for each in claimed if each.is_simulated]
                if not claimed:
                    continue
            claimed_at = time.monotonic()
            failpoint("delivery.claimed")
            ready, settled = prepare(self._channel, claimed)
            self._settle(claimed, settled)
            failpoint("delivery.prepared")
            if ready:
                count += self._hand_over_all(ready, claimed_at)
        return count

    def close(self) -> None:
        """Let go of the providers and of the journal, unless that holds what the database does not."""
        try:
            self._providers.close()
        finally:
            self._journal.close(keep=self._has_unrecorded)

    def _hand_over_all(self, ready: list[Ready], claimed_at: float) -> int:
        count = 0
        waiting = by_way(ready)
        while (
            waiting and not self._stopping.is_set() and time.monotonic() - claimed_at < HAND_OVER_WITHIN.total_seconds()
        ):
            way, group = waiting.pop()
            legs, nobody = self._legs(way, wanted=min(self._size, len(group)))
            if not legs:
                troubles = tuple(trouble for each in nobody for trouble in each.troubles)
                self._postpone([each.notification for each in group], Nobody(troubles=troubles))
                continue
            most = fitting(group, min(leg.chosen.permit.most for leg in legs))
            part, rest = group[:most], group[most:]
            if rest:
                waiting.append((way, rest))
            failpoint("delivery.connected")
            count += self._hand_over(legs, part, [self._still_open(each) for each in nobody])
        if waiting:
            outbox.release([each.held for _, group in waiting for each in group])
        return count

    def _legs(self, way: Way, *, wanted: int) -> tuple[list[Leg], list[Nobody]]:
        """Who carries, and why nobody carries the rest."""
        legs: list[Leg] = []
        nobody: list[Nobody] = []
        for carriers in way.carriers:
            chosen = self._providers.choose(among=carriers, after=way.after, wanted=wanted)
            if isinstance(chosen, Nobody):
                nobody.append(chosen)
            else:
                legs.append(Leg(carriers, chosen))
        return legs, nobody

    def _still_open(self, nobody: Nobody) -> SendResult:
        return SendResult(outcome=Outcome.THROTTLED, retry_after=self._providers.soonest(nobody))

    def _postpone(self, waiting: Sequence[Claimed], nobody: Nobody) -> None:
        verdicts = self._providers.verdicts(waiting, nobody)
        log.info(
            "No provider takes anything now; notifications wait.",
            action="postpone",
            channel=self._channel.name,
            reason=verdicts[0].reason,
            rows=len(waiting),
        )
        held = [Held(each.pk, each.claim_token) for each in waiting]
        # Those that wait have had their line above.
        self._settle(waiting, list(zip(held, verdicts, strict=True)), silent_about=statuses.POSTPONE)

    def _settle(
        self,
        claimed: Sequence[Claimed],
        verdicts: Sequence[tuple[Held, Verdict]],
        *,
        silent_about: statuses.Change | None = None,
    ) -> None:
        ours = outbox.settle(verdicts)
        rows = {each.pk: each for each in claimed}
        for held, verdict in verdicts:
            if held.id in ours and verdict.change is not silent_about:
                delivery_log.tell(rows[held.id], verdict)

    def _hand_over(self, legs: Sequence[Leg], part: Sequence[Ready], left_out: list[SendResult]) -> int:
        """Mark, hand over, record; the permits are given back whatever happens."""
        in_hand: list[InHand] = []
        try:
            in_hand = self._handed_over(legs, part, left_out)
        finally:
            for leg in legs:
                self._report(leg)
        if in_hand:
            has_next = {leg: self._providers.has_next(leg.provider.name, among=leg.carriers) for leg in legs}
            rules = {leg: self._rules_of(leg.provider.name) for leg in legs}
            recorded = [self._concluded(each, has_next, rules) for each in in_hand]
            self._record(recorded)
            for each, what in zip(in_hand, recorded, strict=True):
                if what.verdict:
                    code = each.decisive.answer.provider_code
                    delivery_log.tell(each.ready.notification, what.verdict, provider_code=code)
            self._tell_simulated(in_hand)
            delivery_metrics.count(in_hand, channel=self._channel.name)
        self._breakers.tell()
        return len(in_hand)

    def _tell_simulated(self, in_hand: Sequence[InHand]) -> None:
        """What the simulator reports later. Not told again after a crash: real providers lose reports as well."""
        taken = [
            one.message
            for each in in_hand
            for one in each.tries
            if one.leg.provider.name == SIMULATOR and one.answer.outcome is Outcome.ACCEPTED
        ]
        if not taken or self._has_unrecorded:
            return
        while True:
            try:
                tracking.record_news(news_after(taken))
            except (OperationalError, InterfaceError) as error:
                detail = type(error).__name__
                log.warning("The database is away; the simulator reports later.", action="record_news", detail=detail)
                close_old_connections()
                if self._stopping.wait(RECORD_AGAIN.total_seconds()):
                    return
            else:
                return

    def _handed_over(self, legs: Sequence[Leg], part: Sequence[Ready], left_out: list[SendResult]) -> list[InHand]:
        """What was handed to the providers, each with its answers: only what is still ours."""
        by_carriers = {leg.carriers: leg for leg in legs}
        in_hand = [
            InHand(
                ready,
                [
                    Try(uuid7(), message, leg)
                    for message, carriers in zip(ready.messages, ready.carriers, strict=True)
                    if (leg := by_carriers.get(carriers))
                ],
                left_out,
            )
            for ready in part
        ]
        marks = [
            HandOver(
                held=each.ready.held,
                number=each.ready.notification.attempt_count + 1,
                attempts=tuple((one.attempt_id, one.message.device_id) for one in each.tries),
                providers={one.attempt_id: one.leg.provider.name for one in each.tries} if len(legs) > 1 else {},
            )
            for each in in_hand
        ]
        began = time.monotonic()
        ours = tracking.open_attempts(
            marks,
            provider=legs[0].provider.name,
            reports_delivery=any(leg.provider.reports_delivery for leg in legs),
        )
        in_hand = [each for each in in_hand if each.ready.notification.pk in ours]
        if not in_hand:
            return []
        failpoint("delivery.marked")
        # The clock once more before the first byte: whoever was frozen here may have been taken for dead.
        is_late = time.monotonic() - began > HAND_OVER_WITHIN.total_seconds()
        took = self._send_all(legs, in_hand, is_late=is_late)
        failpoint("delivery.journalled")
        self._adapt(took)
        return in_hand

    def _report(self, leg: Leg) -> None:
        """What the answers say about the provider. Ours are left out: being late is not its fault."""
        permit = leg.chosen.permit
        if permit.provider == SIMULATOR:
            return
        answers = [one.answer for one in leg.tries]
        results = [result for result in answers if result.error_code != HELD_UP]
        # One break in the middle leaves many doubts and is one failure.
        broken = [result for result in results if result.error_code == BROKEN_OFF]
        results = [result for result in results if result.error_code != BROKEN_OFF] + broken[:1]
        bad = [result for result in results if result.outcome in BAD]
        waits = [throttled_wait(result.retry_after) for result in results if result.outcome is Outcome.THROTTLED]
        self._breakers.charge(permit.provider, len(answers) - permit.most)
        self._breakers.report(
            permit,
            [result.outcome for result in results if result.concerns_all],
            error=(bad[-1].detail or bad[-1].error_code or bad[-1].provider_code) if bad else "",
            wait=max(waits, default=None),
        )

    def _send_all(self, legs: Sequence[Leg], in_hand: Sequence[InHand], *, is_late: bool) -> timedelta:
        """Leg by leg; how long it took by this process's clock."""
        started = time.monotonic()
        ends_at = started + HAND_OVER_ENDS_AFTER.total_seconds()
        held = {one: each.ready.held for each in in_hand for one in each.tries}
        self._has_unrecorded = True
        for leg in legs:
            tries = [one for one in held if one.leg is leg]
            too_late = is_late or time.monotonic() > ends_at
            self._send(TooLate(leg.provider.name) if too_late else leg.provider, tries, held, ends_at=ends_at)
        return timedelta(seconds=time.monotonic() - started)

    def _send(self, provider: Provider, tries: Sequence[Try], held: Mapping[Try, Held], *, ends_at: float) -> None:
        """Hand over and journal each answer at once."""
        before = time.monotonic()
        answers = self._answers(provider, [one.message for one in tries], ends_at=ends_at)
        for one, result in zip(tries, answers, strict=True):
            failpoint("delivery.answered")
            self._write_down(
                JournalLine(
                    notification_id=held[one].id,
                    claim_token=cast(UUID, held[one].token),  # a claimed row has one
                    attempt_id=one.attempt_id,
                    provider=provider.name,
                    result=result,
                )
            )
            now = time.monotonic()
            took, before = round((now - before) * 1000), now
            one.result = AttemptResult(attempt_id=one.attempt_id, result=result, duration_ms=took)
            one.leg.tries.append(one)

    def _note_successes(self, recorded: Sequence[Recorded]) -> None:
        """Devices that still take pushes; nothing hangs on it, so it is not repeated after a crash."""
        if self._channel.name == ChannelName.PUSH:
            results = [one for each in recorded for one in each.attempts]
            follow_successes([one.attempt_id for one in results if one.result.outcome is Outcome.ACCEPTED])

    def _write_down(self, line: JournalLine) -> None:
        try:
            self._journal.append(line)
        except OSError:
            # A full disk takes away the second safety, not the first: the database gets the answer in a moment.
            log.exception("An answer could not be written to the journal.", action="journal")

    def _answers(self, provider: Provider, messages: list[Message], *, ends_at: float) -> Iterator[SendResult]:
        """One result per message, whatever the provider does: what it left open may have gone out."""
        if not messages:
            return
        answered = 0
        try:
            for result in provider.send(messages):
                answered += 1
                yield result
                if answered == len(messages):
                    return
                if time.monotonic() > ends_at:
                    detail = "It was too late to hand this message over."
                    break
            else:
                detail = "The provider gave no answer for this message."
        except Exception as error:  # an adapter with a fault must not take the consumer with it
            log.exception("A provider's adapter failed in the middle of a hand-over.", action="send")
            detail = f"The hand-over broke off: {type(error).__name__}."
        for _ in messages[answered:]:
            yield SendResult(outcome=Outcome.UNKNOWN, error_code=BROKEN_OFF, detail=detail)

    def _adapt(self, took: timedelta) -> None:
        if took < SHORT:
            self._size = min(self._size * 2, LARGEST_HAND_OVER)
        elif took > LONG:
            self._size = max(self._size // 2, 1)

    def _concluded(self, each: InHand, has_next: Mapping[Leg, bool], rules: Mapping[Leg, Rules]) -> Recorded:
        leg = each.decisive.leg
        provider = leg.provider.name
        verdict = verdict_after(
            [one.answer for one in each.tries] + each.left_out,
            provider=provider,
            tries_used=each.ready.notification.tries_used,
            rules=rules[leg],
            has_next=has_next[leg],
        )
        attempts = tuple(one.result for one in each.tries if one.result)
        return Recorded(held=each.ready.held, provider=provider, attempts=attempts, verdict=verdict)

    def _rules_of(self, provider: str) -> Rules:
        rules = self._rules.of(self._channel.name, provider)
        if provider == SIMULATOR:
            return replace(rules, first_retry=SIMULATED_WAIT, longest_retry=SIMULATED_WAIT)
        return rules

    def _record(self, recorded: list[Recorded]) -> None:
        """Write the outcomes down. While the database is away nothing else is taken on; the journal keeps them."""
        while True:
            try:
                tracking.record_outcomes(recorded)
            except (OperationalError, InterfaceError) as error:
                log.warning(
                    "The database is away; outcomes wait in the journal.", action="record", detail=type(error).__name__
                )
                close_old_connections()
                if self._stopping.wait(RECORD_AGAIN.total_seconds()):
                    return
            else:
                self._note_successes(recorded)
                failpoint("delivery.recorded")
                self._journal.clear()
                self._has_unrecorded = False
                return
