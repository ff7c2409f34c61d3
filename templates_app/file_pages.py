"""Whole templates as files in the admin: taken away as YAML, and brought in after a look at every difference."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from templates_app.drafting import DraftExists, PublicationScheduled, TooManyLocales
from templates_app.models import Template
from templates_app.staff_views import VIEW, WRITE, needs, person, show_page, staff_view
from templates_app.template_files import (
    ENDINGS,
    FileInvalid,
    Imported,
    exportable,
    exported_files,
    exported_text,
    import_template,
    read_template,
)
from templates_app.template_life import CodeLocked, CodeTaken
from users.zip_damage import ZIP_DAMAGE

#: Of all files together, unpacked.
MOST_BYTES = 1024 * 1024
MOST_FILES = 100
LIST = "admin:templates_app_template_changelist"
REFUSED = (FileInvalid, DraftExists, PublicationScheduled, TooManyLocales, CodeLocked, CodeTaken)


class FilesRefused(Exception):
    """They cannot even be looked at; the text says why."""


@dataclass(frozen=True, slots=True)
class Line:
    """Of a difference: added, removed, or only there for the eyes."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What came of a file, or would: either `done` or `problems`."""

    text: str
    name: str
    done: Imported | None = None
    problems: Sequence[str] = ()
    is_draft_in_the_way: bool = False
    lines: list[Line] = field(default_factory=list)


def file_urls() -> list[URLPattern]:
    """The route that is no button of the list."""
    return [path("files/take/", staff_view(take_away), name="templates_app_template_take_file")]


@needs(VIEW)
def take_away(request: HttpRequest) -> HttpResponse:
    """The file of `?code=`, or all of them in a ZIP."""
    if code := request.GET.get("code", ""):
        template = get_object_or_404(Template.objects.select_related("live_version"), code=code)
        answer = HttpResponse(exported_text(template, exportable(template)), content_type="text/yaml; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{template.code}.yaml"'
        return answer
    packed = BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        for name, text in exported_files():
            archive.writestr(name, text)
    answer = HttpResponse(packed.getvalue(), content_type="application/zip")
    answer["Content-Disposition"] = 'attachment; filename="templates.zip"'
    return answer


@needs(VIEW)
def files_page(request: HttpRequest) -> HttpResponse:
    """The page; with files a look at them, with `write` they become drafts."""
    if request.method != "POST":
        return _page(request)
    if not may_bring(request):
        raise PermissionDenied
    try:
        given = _files_of(request)
    except FilesRefused as error:
        messages.error(request, str(error))
        return redirect(request.path)
    is_look = "write" not in request.POST
    replaces = "replace" in request.POST
    looked = [_taken(request, name, text, replaces=replaces, dry_run=is_look) for name, text in given]
    refused = [each for each in looked if each.problems]
    written = sum(1 for each in looked if each.done and each.done.what != "unchanged")
    if not is_look and written:
        messages.success(request, _("Written: {n}. New words are drafts until they are published.").format(n=written))
    if is_look or refused:
        return _page(request, looked=refused if not is_look else looked, replaces=replaces)
    return redirect(LIST)


def may_bring(request: HttpRequest) -> bool:
    """Whoever makes templates and writes drafts."""
    return request.user.has_perms([WRITE, "templates_app.add_template", "templates_app.change_template"])


def _taken(request: HttpRequest, name: str, text: str, *, replaces: bool, dry_run: bool) -> Looked:
    try:
        done = import_template(read_template(text), by=person(request), replaces_draft=replaces, dry_run=dry_run)
    except REFUSED as error:
        is_draft = isinstance(error, DraftExists)
        return Looked(text=text, name=name, problems=_problems(error), is_draft_in_the_way=is_draft)
    return Looked(text=text, name=name, done=done, lines=list(_lines(done.difference)))


def _problems(error: Exception) -> Sequence[str]:
    if isinstance(error, FileInvalid):
        return error.problems
    if isinstance(error, DraftExists):
        return [_("There is a draft with other words. Publish or delete it, or write over it.")]
    return [str(error)]


def _lines(difference: str) -> Iterator[Line]:
    """Without the two lines that name the files."""
    kinds = {"+": "added", "-": "removed", "@": "place"}
    for text in difference.splitlines()[2:]:
        yield Line(kinds.get(text[:1], "same"), text)


def _files_of(request: HttpRequest) -> list[tuple[str, str]]:
    """(name, text) of what was chosen, or of what the page before has sent along. Raises `FilesRefused`."""
    if "text" in request.POST:
        return list(zip(request.POST.getlist("name"), request.POST.getlist("text"), strict=False))[:MOST_FILES]
    chosen = request.FILES.getlist("files")
    if sum(each.size or 0 for each in chosen) > MOST_BYTES:
        raise FilesRefused(_("All files together have at most 1 MiB."))
    found: list[tuple[str, bytes]] = []
    for each in chosen:
        name, content = each.name or "", bytes(each.read())
        found += _unpacked(content) if name.lower().endswith(".zip") else [(name, content)]
    if not found:
        raise FilesRefused(_("Choose files first: YAML, or a ZIP with some."))
    if len(found) > MOST_FILES:
        raise FilesRefused(_("At most {n} files at once.").format(n=MOST_FILES))
    try:
        return [(name, content.decode("utf-8-sig")) for name, content in found]
    except UnicodeDecodeError:
        raise FilesRefused(_("The files must be written in UTF-8.")) from None


def _unpacked(content: bytes) -> list[tuple[str, bytes]]:
    try:
        with ZipFile(BytesIO(content)) as archive:
            inside = [each for each in archive.infolist() if each.filename.lower().endswith(ENDINGS)]
            if sum(each.file_size for each in inside) > MOST_BYTES:
                raise FilesRefused(_("All files together have at most 1 MiB."))
            return [(each.filename, archive.read(each)) for each in inside[: MOST_FILES + 1]]
    except ZIP_DAMAGE:
        raise FilesRefused(_("This ZIP cannot be opened.")) from None


def _page(request: HttpRequest, *, looked: Sequence[Looked] = (), replaces: bool = False) -> HttpResponse:
    context: dict[str, Any] = {
        "title": _("Templates as files"),
        "templates": Template.objects.filter(is_archived=False).order_by("name").values_list("code", "name"),
        "may_bring": may_bring(request),
        "looked": looked,
        "replaces": replaces,
        "is_something_to_write": any(each.done and each.done.what != "unchanged" for each in looked),
        "is_draft_in_the_way": any(each.is_draft_in_the_way for each in looked),
        "action": request.path,
    }
    return show_page(request, "templates_app/files", context)
