"""People and blocked addresses as files in the admin: taken away, and brought in after a look at every row."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast
from zipfile import ZipFile

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from users.models import User
from users.people_files import UnreadableFile
from users.people_import import Imported
from users.staff_pages import StaffAdmin, Words, action
from users.table_exports import MOST_ROWS, Form, Table, TooManyRows, export_table
from users.zip_damage import ZIP_DAMAGE

#: Bytes of a file that is brought in here, and of a spreadsheet once it is unpacked; longer ones are for the command.
MOST_BYTES, MOST_UNPACKED = 1024 * 1024, 64 * 1024 * 1024
#: Faulty rows that are shown.
SHOWN = 100
TYPES: dict[Form, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(frozen=True, kw_only=True)
class TableKind:
    """What makes the page of people differ from that of blocked addresses."""

    #: In the names of files and of lines in the audit log.
    name: str
    title: Words
    table: type[Table]
    columns: Sequence[str]
    import_file: Callable[..., Imported]
    #: What a person should know before they take a file away, and before they bring one in.
    taken_words: Words
    brought_words: Words


@dataclass(frozen=True, kw_only=True)
class _Upload:
    name: str
    content: bytes


class TableFiles(StaffAdmin):
    """The button and the page."""

    table_kind: TableKind
    actions_list: Any = ("files",)

    def may_take(self, request: HttpRequest) -> bool:
        """Take a file away."""
        raise NotImplementedError

    def may_bring(self, request: HttpRequest) -> bool:
        """Bring a file in."""
        raise NotImplementedError

    def has_files_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Whoever may do one of the two."""
        return self.may_take(request) or self.may_bring(request)

    @action(description=gettext_lazy("Import and export"), permissions=["files"], icon="swap_vert")
    def files(self, request: HttpRequest) -> HttpResponse:
        """The page; with `take` a file; with `file` a look at it, with `write` its rows are written."""
        if request.method != "POST":
            return self._page(request)
        is_allowed = self.may_take(request) if "take" in request.POST else self.may_bring(request)
        if not is_allowed:
            raise PermissionDenied
        return self._take(request) if "take" in request.POST else self._bring(request)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The button takes the list's filters along."""
        answer = super().changelist_view(request, extra_context)
        shown = getattr(answer, "context_data", None) or {}
        for each in shown.get("actions_list", ()) if request.GET else ():
            each["path"] = f"{each['path']}?{request.GET.urlencode()}"
        return answer

    def _listed(self, request: HttpRequest) -> QuerySet[Any]:
        """What the list shows under the filters and the search of this address; raises what the list would raise."""
        rows: QuerySet[Any] = self.model._default_manager.all()
        if not request.GET:
            return rows
        return rows.filter(pk__in=self.get_changelist_instance(request).queryset.order_by().values("pk"))

    def _take(self, request: HttpRequest) -> HttpResponse:
        form: Form = "xlsx" if request.POST["take"] == "xlsx" else "csv"
        kind = self.table_kind
        try:
            content = export_table(
                kind.table,
                self._listed(request),
                form=form,
                who=cast(User, request.user),
                what=kind.name,
                network_address=_address(request),
            )
        except IncorrectLookupParameters:
            return redirect(request.path)
        except TooManyRows:
            messages.error(
                request, _("There are more than {n} rows: too many for one file.").format(n=f"{MOST_ROWS:,}")
            )
            return redirect(request.path)
        headers = {"Content-Disposition": f'attachment; filename="{kind.name}.{form}"', "Cache-Control": "no-store"}
        return HttpResponse(content, content_type=TYPES[form], headers=headers)

    def _bring(self, request: HttpRequest) -> HttpResponse:
        is_look = "write" not in request.POST
        try:
            upload = _uploaded(request)
            found = self._imported(request, upload, dry_run=is_look)
        except UnreadableFile as error:
            messages.error(request, str(error))
            return redirect(request.path)
        except IntegrityError:
            messages.error(request, _("Somebody else changed them meanwhile. What was written stays; bring it again."))
            return redirect(request.path)
        if is_look or found.error_count:
            return self._page(request, found=found, upload=upload)
        words = _("New: {new}. Changed: {changed}. As they were: {unchanged}.")
        messages.success(request, words.format(new=found.new, changed=found.changed, unchanged=found.unchanged))
        return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")

    def _imported(self, request: HttpRequest, upload: _Upload, *, dry_run: bool) -> Imported:
        with TemporaryDirectory(prefix="import-") as folder:
            path = Path(folder) / upload.name
            path.write_bytes(upload.content)
            return self.table_kind.import_file(
                path, who=cast(User, request.user), dry_run=dry_run, network_address=_address(request)
            )

    def _page(
        self, request: HttpRequest, *, found: Imported | None = None, upload: _Upload | None = None
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": self.table_kind.title,
            "kind": self.table_kind,
            "list": f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist",
            "list_name": self.opts.verbose_name_plural,
            "may_take": self.may_take(request),
            "is_filtered": bool(request.GET),
            "may_bring": self.may_bring(request),
            "shows_addresses": request.user.has_perm("users.view_pii"),
            "found": found,
            "errors": sorted(found.errors, key=lambda each: each.row)[:SHOWN] if found else [],
            "upload": upload,
            "data": base64.b64encode(upload.content).decode() if upload else "",
        }
        return TemplateResponse(request, "admin/table_files.html", context)


def _uploaded(request: HttpRequest) -> _Upload:
    """What was chosen, or what the page before has sent along. Raises `UnreadableFile`."""
    file = request.FILES.get("file")
    if file is not None and (file.size or 0) <= MOST_BYTES:
        name, content = file.name or "", bytes(file.read())
    elif file is None and "data" in request.POST:
        name, content = request.POST.get("name", ""), _decoded(request.POST["data"])
    else:
        words = _("Choose a file first.") if file is None else _("Here a file has at most 1 MiB; divide it.")
        raise UnreadableFile(words)
    ending = Path(name).suffix.lower()
    if ending not in (".csv", ".xlsx"):
        raise UnreadableFile(_("The name of the file ends with .csv or .xlsx."))
    if ending == ".xlsx":
        _check_unpacked(content)
    return _Upload(name=f"{Path(name).stem[:80]}{ending}".replace("/", "_").replace("\0", ""), content=content)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise UnreadableFile(_("Choose a file first.")) from None


def _check_unpacked(content: bytes) -> None:
    try:
        with ZipFile(BytesIO(content)) as packed:
            size = sum(each.file_size for each in packed.infolist())
    except ZIP_DAMAGE:
        raise UnreadableFile(_("This is no spreadsheet. Save it as XLSX or as CSV UTF-8.")) from None
    if size > MOST_UNPACKED:
        raise UnreadableFile(_("The spreadsheet is too long once it is unpacked; divide it."))


def _address(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))
