"""Words for translators: files to take away, and files that come back, looked at before they are written."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern
from django.utils.translation import gettext as _

from templates_app import drafting, translations
from templates_app.editor_state import version_for_editing
from templates_app.models import Template, VersionIsFixed
from templates_app.staff_views import VIEW, WRITE, find_template, needs, person, routes, show_page
from users.locales import is_locale

#: Form of a file, its ending and type.
FORMS = {"po": "text/x-gettext-translation", "csv": "text/csv"}
#: Bytes of a file that comes back.
MOST_BYTES = 1024 * 1024


class FileRefused(Exception):
    """The file cannot be taken; the text says why."""


def translation_urls() -> list[URLPattern]:
    """The routes of these pages."""
    return routes({"translate/": translate, "translate/take/": take_away, "translate/bring/": bring_back})


@needs(VIEW)
def translate(request: HttpRequest, template_id: UUID) -> HttpResponse:
    """The files by language, and where they come back."""
    return _page(request, find_template(template_id))


@needs(VIEW)
def take_away(request: HttpRequest, template_id: UUID) -> HttpResponse:
    """A file of `?locale=` in `?form=`: po or csv."""
    template = find_template(template_id)
    locale, form = request.GET.get("locale", "").strip(), request.GET.get("form", "")
    if not is_locale(locale) or form not in FORMS or locale == template.default_locale:
        messages.error(request, _("Choose a language to translate into, such as de or pt-BR."))
        return redirect("admin:templates_app_template_translate", template.pk)
    text = translations.export_translations(template, locale=locale, form="po" if form == "po" else "csv")
    answer = HttpResponse(text, content_type=f"{FORMS[form]}; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{template.code}.{locale}.{form}"'
    return answer


@needs(WRITE)
def bring_back(request: HttpRequest, template_id: UUID) -> HttpResponse:
    """Look at a file that came back; with `write` put its words into the draft."""
    template = find_template(template_id)
    if request.method != "POST":
        return redirect("admin:templates_app_template_translate", template.pk)
    try:
        text = _text_of(request)
        given = translations.read_translations(text)
        if given.code != template.code:
            raise FileRefused(_("This file is of the template {code}.").format(code=given.code))
        is_look = "write" not in request.POST
        taken = translations.import_translations(given, by=person(request), dry_run=is_look)
    except (FileRefused, ValueError, VersionIsFixed, drafting.PublicationScheduled) as error:
        messages.error(request, str(error))
        return redirect("admin:templates_app_template_translate", template.pk)
    if is_look:
        return _page(request, template, taken=taken, text=text)
    messages.success(
        request, _("{n} fields were written in {locale}.").format(n=len(taken.changed), locale=taken.locale)
    )
    return redirect("admin:templates_app_template_editor", template.pk)


def _text_of(request: HttpRequest) -> str:
    if "text" in request.POST:
        return request.POST["text"]
    file = request.FILES.get("file")
    if file is None or file.size is None:
        raise FileRefused(_("Choose a file first."))
    if file.size > MOST_BYTES:
        raise FileRefused(_("A file of words has at most 1 MiB."))
    try:
        return bytes(file.read()).decode()
    except UnicodeDecodeError:
        raise FileRefused(_("The file must be written in UTF-8.")) from None


def _page(
    request: HttpRequest, template: Template, *, taken: translations.Taken | None = None, text: str = ""
) -> HttpResponse:
    version = version_for_editing(template, None)
    locales = {each.locale for each in version.contents.all()} if version else set()
    context = {
        "title": _("Translate {name}").format(name=template.name),
        "template": template,
        "tab": "translate",
        "locales": sorted(locales - {template.default_locale}),
        "has_words": template.default_locale in locales,
        "may_write": request.user.has_perm(WRITE) and not template.is_archived,
        "taken": taken,
        "text": text,
    }
    return show_page(request, "templates_app/translate", context)
