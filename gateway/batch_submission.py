"""Use case: accept many requests at once. Each stands alone; what is accepted is committed together."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from gateway import callbacks, metrics
from gateway.attachment_models import StoredFile
from gateway.attachments import attach, files_for, named_uploads, uploads_stay
from gateway.database_clock import database_now
from gateway.decision import Choose, DecisionRefused, decide_request
from gateway.due_signal import announce_due
from gateway.idempotency import RequestIdReused, earlier_ones, same_request
from gateway.many_rows import insert_new
from gateway.models import Notification
from gateway.request import NotificationRequest
from gateway.submission import Submitted, check_moments, is_due_at_once, new_row, tell_use
from templates_app.selection import Chosen, SelectionRefused, choose
from users.recipients import Recipient, find_recipients

#: Requests accepted at once.
MOST = 500
#: Why one request of a batch gets nothing; its neighbours go on.
Refused = DecisionRefused | SelectionRefused | RequestIdReused
Answer = Submitted | Refused


@dataclass(slots=True)
class _Item:
    """One request on its way to an answer."""

    request: NotificationRequest
    recipient: Recipient | None
    #: What it would become, unless it was refused.
    row: Notification | None = None
    #: What goes with it.
    files: Sequence[StoredFile] = ()
    answer: Answer | None = None


def submit_batch(
    requests: Sequence[NotificationRequest], *, client: str, mode: str, correlation_id: str = ""
) -> list[Answer]:
    """Accept what can be accepted; one answer per request, in order. A refused one gets the exception as a value.

    The answers are those the same requests would have got one after the other. At most `MOST`.
    """
    if len(requests) > MOST:
        raise ValueError(f"A batch has at most {MOST} requests, not {len(requests)}.")
    now = database_now()
    items = _with_recipients(requests)
    remembered = _Remembered(choose)
    uploads = named_uploads((file for each in requests for file in each.attachments), client=client, mode=mode)
    for item in items:
        try:
            check_moments(item.request, now)
            decision = decide_request(item.request, recipient=item.recipient, now=now, choose=remembered)
            if item.request.attachments:
                item.files = files_for(item.request.attachments, uploads, client=client, mode=mode)
        except (DecisionRefused, SelectionRefused) as refused:
            item.answer = refused
        else:
            item.row = new_row(item.request, decision, now=now, client=client, mode=mode, correlation_id=correlation_id)
    _store(items)
    _replay(items, client=client, mode=mode)
    return [item.answer for item in items if item.answer is not None]


def _with_recipients(requests: Sequence[NotificationRequest]) -> list[_Item]:
    """People are looked up once per channel, not once per request."""
    names: defaultdict[str, set[str]] = defaultdict(set)
    for request in requests:
        names[request.channel].add(request.user_id)
    found = {channel: find_recipients(ids, channel=channel) for channel, ids in names.items()}
    return [_Item(request, found[request.channel].get(request.user_id)) for request in requests]


class _Remembered:
    """Each template is looked up once per batch, also one that cannot be chosen."""

    def __init__(self, choose: Choose) -> None:
        self._choose = choose
        self._known: dict[tuple[str, int | None], Chosen | SelectionRefused] = {}

    def __call__(self, code: str, pinned: int | None) -> Chosen:
        """As `templates_app.selection.choose`."""
        if (code, pinned) not in self._known:
            try:
                self._known[code, pinned] = self._choose(code, pinned)
            except SelectionRefused as refused:
                self._known[code, pinned] = refused
        found = self._known[code, pinned]
        if isinstance(found, SelectionRefused):
            raise found
        return found


def _store(items: Sequence[_Item]) -> None:
    """Insert the new ones and answer them; one whose request id is known by now is left without an answer."""
    # In the order `insert_new` wants. Of two equal ids in one batch the first wins.
    new = sorted(((item, item.row) for item in items if item.row is not None), key=_by_request_id)
    if not new:
        return
    with uploads_stay([file for item, _ in new for file in item.files]), transaction.atomic():
        stored = insert_new([row for _, row in new])
        attach([(row.pk, item.request.attachments, item.files) for item, row in new if item.files and row.pk in stored])
        callbacks.owe((row.pk, f"notification.{row.status}") for _, row in new if row.pk in stored)
    for item, row in new:
        if row.pk in stored:
            item.answer = Submitted(notification=row, was_replayed=False)
            tell_use(row, item.request)
            if not row.is_simulated:
                metrics.count_submitted(row.channel, row.status)
    if any(is_due_at_once(row) for _, row in new if row.pk in stored):
        announce_due()


def _by_request_id(entry: tuple[_Item, Notification]) -> str:
    return entry[0].request.request_id or ""


def _replay(items: Sequence[_Item], *, client: str, mode: str) -> None:
    """A known request id is judged before all that may be wrong by now, as `submit_notification` does."""
    doubtful = [item for item in items if not isinstance(item.answer, Submitted)]
    asked = {item.request.request_id for item in doubtful if item.request.request_id is not None}
    known = earlier_ones(client, mode, asked) if asked else {}
    for item in doubtful:
        found = known.get(item.request.request_id)
        if found is None and item.answer is None:
            raise IntegrityError("A notification was not stored, and no other has its request id.")
        if found is not None:
            item.answer = _same_or_refused(found, item)


def _same_or_refused(found: Notification, item: _Item) -> Answer:
    user_id = item.recipient.id if item.recipient else None
    try:
        notification = same_request(found, item.request, user_id=user_id)
    except RequestIdReused as reused:
        return reused
    metrics.count_replay()
    return Submitted(notification=notification, was_replayed=True)
