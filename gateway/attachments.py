"""Use cases: keep files, let them go with notifications, hand them to delivery, delete them.

Bytes are read when a mail is made, one mail at a time: a batch of large mails never lies in memory.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from uuid import UUID

from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Now
from uuid_utils.compat import uuid7

from gateway.attachment_models import Attachment, StoredFile
from gateway.attachment_rules import LARGEST_MAIL, MOST_STORED, UPLOADS_KEPT, NotAttachable, needs_image
from gateway.channel_contract import FileAway, Outcome, OutgoingFile
from gateway.claimed import Claimed
from gateway.decision import DecisionRefused
from gateway.request import AttachmentRequest
from users.encryption import CannotOpen

#: An upload stays for so much longer than it can be named: a request that names it may just be under way.
GRACE = timedelta(hours=1)


class AttachmentsRefused(DecisionRefused):
    """The attachments cannot go with the notification; `findings` holds (pointer, code, detail) of each."""

    def __init__(self, findings: list[tuple[str, str, str]]) -> None:
        super().__init__("; ".join(detail for _, _, detail in findings))
        self.findings = tuple(findings)


# --- uploads ----------------------------------------------------------------------------------------------------------
def upload(content: bytes, *, filename: str, content_type: str, client: str, mode: str) -> StoredFile:
    """Keep a checked file, to be named in requests. Raises `NotAttachable` when the client keeps too much here."""
    theirs = StoredFile.objects.filter(client=client, mode=mode, expires_at__isnull=False)
    kept = theirs.aggregate(total=Sum("size"))["total"] or 0
    if kept + len(content) > MOST_STORED:
        raise NotAttachable(f"Your uploads have {MOST_STORED // 1024 // 1024} MiB together; delete some.", "too_many")
    stored = _new_file(content, filename=filename, content_type=content_type, client=client, mode=mode)
    stored.expires_at = Now() + UPLOADS_KEPT
    stored.save(force_insert=True)
    stored.refresh_from_db(fields=["created_at", "expires_at"])
    return stored


def uploads_of(client: str, mode: str) -> QuerySet[StoredFile]:
    """What a client can still name, without the bytes."""
    return StoredFile.objects.filter(client=client, mode=mode, expires_at__gt=Now()).defer("content")


@transaction.atomic
def delete_upload(file_id: UUID) -> None:
    """Nobody can name it any more. Its bytes go with the last notification that has it; at once where none has."""
    StoredFile.objects.select_for_update().only("pk").filter(pk=file_id).first()
    if Attachment.objects.filter(file_id=file_id).exists():
        StoredFile.objects.filter(pk=file_id).update(expires_at=Now())
    else:
        StoredFile.objects.filter(pk=file_id).delete()


# --- requests ---------------------------------------------------------------------------------------------------------
def named_uploads(asked: Iterable[AttachmentRequest], *, client: str, mode: str) -> dict[UUID, StoredFile]:
    """Those of the uploads they name that there are, without the bytes. No query where none is named."""
    named = {each.file_id for each in asked if each.file_id is not None}
    return {each.pk: each for each in uploads_of(client, mode).filter(pk__in=named)} if named else {}


def files_for(
    asked: Sequence[AttachmentRequest], kept: Mapping[UUID, StoredFile], *, client: str, mode: str
) -> list[StoredFile]:
    """The file of each: one of the `kept` uploads, or a new one, not yet stored. Raises `AttachmentsRefused`."""
    findings: list[tuple[str, str, str]] = []
    files: list[StoredFile] = []
    for position, each in enumerate(asked):
        found = _file_of(each, kept, client=client, mode=mode)
        if found is None:
            findings.append((f"/attachments/{position}", "invalid", "There is no such upload, or its time is over."))
            continue
        files.append(found)
        try:
            needs_image(each.content_id, found.content_type)
        except NotAttachable as error:
            findings.append((f"/attachments/{position}/content_id", error.code, str(error)))
    if sum(each.size for each in files) > LARGEST_MAIL:
        most = f"The attachments of a mail have at most {LARGEST_MAIL // 1024 // 1024} MiB together."
        findings.append(("/attachments", "too_long", most))
    if findings:
        raise AttachmentsRefused(findings)
    return files


def _file_of(asked: AttachmentRequest, kept: Mapping[UUID, StoredFile], *, client: str, mode: str) -> StoredFile | None:
    if asked.file_id is not None:
        return kept.get(asked.file_id)
    return _new_file(asked.content, filename=asked.filename, content_type=asked.content_type, client=client, mode=mode)


def _new_file(content: bytes, *, filename: str, content_type: str, client: str, mode: str) -> StoredFile:
    return StoredFile(
        id=uuid7(),
        client=client,
        mode=mode,
        filename=filename,
        content_type=content_type,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        content=content,
    )


@contextmanager
def uploads_stay(files: Sequence[StoredFile]) -> Iterator[None]:
    """Around a transaction that lets these go with something: an upload deleted meanwhile ends it.

    Raises `AttachmentsRefused` then.
    """
    named = {each.pk for each in files if not each._state.adding}
    try:
        yield
    except IntegrityError as error:
        if StoredFile.objects.filter(pk__in=named).count() == len(named):
            raise
        raise AttachmentsRefused([("/attachments", "invalid", "An upload was deleted meanwhile.")]) from error


def attach(wanted: Sequence[tuple[UUID, Sequence[AttachmentRequest], Sequence[StoredFile]]]) -> None:
    """Let files go with notifications that were inserted in this same transaction."""
    if not any(files for _, _, files in wanted):
        return
    new = [file for _, _, files in wanted for file in files if file._state.adding]
    StoredFile.objects.bulk_create(new)
    Attachment.objects.bulk_create(
        Attachment(
            notification_id=pk,
            file_id=file.pk,
            position=position,
            filename=each.filename or file.filename,
            content_id=each.content_id,
        )
        for pk, asked, files in wanted
        for position, (each, file) in enumerate(zip(asked, files, strict=True))
    )


# --- delivery ---------------------------------------------------------------------------------------------------------
def outgoing(notifications: Collection[Claimed]) -> dict[UUID, tuple[OutgoingFile, ...]]:
    """What goes with each of a batch, by notification. One query, and none where nothing goes with any."""
    ids = [each.pk for each in notifications if each.attachment_count]
    if not ids:
        return {}
    shelf = _Shelf()
    found: defaultdict[UUID, list[OutgoingFile]] = defaultdict(list)
    for each in with_files(ids):
        found[each.notification_id].append(
            OutgoingFile(
                filename=each.filename,
                content_type=each.file.content_type,
                size=each.file.size,
                content_id=each.content_id,
                read=partial(shelf.read, each.file_id),
            )
        )
    return {pk: tuple(files) for pk, files in found.items()}


def with_files(notification_ids: Collection[UUID]) -> QuerySet[Attachment]:
    """The attachments of some notifications in their order, with their files but without the bytes."""
    rows = Attachment.objects.filter(notification_id__in=notification_ids).select_related("file")
    return rows.defer("file__content").order_by("notification_id", "position")


class _Shelf:
    """The files that were read last: what goes with many mails is read once. Never more than one mail may have."""

    def __init__(self) -> None:
        self._kept: dict[UUID, bytes] = {}

    def read(self, file_id: UUID) -> bytes:
        """The bytes. Raises `FileAway`."""
        if file_id in self._kept:
            return self._kept[file_id]
        try:
            content = StoredFile.objects.filter(pk=file_id).values_list("content", flat=True).first()
        except DatabaseError as error:
            raise FileAway("An attachment cannot be read now.", outcome=Outcome.TRANSIENT) from error
        except CannotOpen as error:
            raise FileAway("An attachment cannot be decrypted.", outcome=Outcome.TRANSIENT) from error
        if content is None:
            raise FileAway("An attachment is not there any more.", outcome=Outcome.PERMANENT)
        if sum(map(len, self._kept.values())) + len(content) > LARGEST_MAIL:
            self._kept.clear()
        self._kept[file_id] = bytes(content)
        return self._kept[file_id]


# --- the end ----------------------------------------------------------------------------------------------------------
def delete_content(notification_ids: Collection[UUID]) -> int:
    """What went with these notifications is past its time. An upload that can still be named stays until it cannot."""
    return _delete(notification_ids, Q(expires_at__isnull=True) | Q(expires_at__lte=Now() - GRACE))


def erase(notification_ids: Collection[UUID]) -> int:
    """The person is erased: whatever went to nobody else goes with them."""
    return _delete(notification_ids, Q())


def _delete(notification_ids: Collection[UUID], meant: Q) -> int:
    links = Attachment.objects.filter(notification_id__in=notification_ids)
    file_ids = set(links.values_list("file_id", flat=True))
    if not file_ids:
        return 0
    links.delete()
    unused = StoredFile.objects.filter(~_is_used(), meant, pk__in=file_ids)
    unused.delete()
    return len(file_ids)


def forget_uploads(*, limit: int) -> int:
    """Delete uploads that nobody can name any more and nothing has. Returns how many."""
    over = StoredFile.objects.filter(~_is_used(), expires_at__lte=Now() - GRACE).order_by("expires_at")
    ids = list(over.values_list("pk", flat=True)[:limit])
    return StoredFile.objects.filter(~_is_used(), pk__in=ids).delete()[0] if ids else 0


def _is_used() -> Exists:
    return Exists(Attachment.objects.filter(file_id=OuterRef("pk")))
