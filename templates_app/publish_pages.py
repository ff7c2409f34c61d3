"""Publishing for people: a look at what would be wrong, a note, now or at a time; and the way back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextareaWidget

from templates_app import publishing, usage
from templates_app.content_checks import Finding, check_version
from templates_app.drafting import name_of
from templates_app.editor_state import place_words
from templates_app.models import Template, TemplateVersion, VersionIsFixed
from templates_app.staff_views import PUBLISH, find_template, needs, person, routes, show_page
from templates_app.writers import names_of

#: The code of an error that whoever publishes may take on themselves.
BREAKING = "breaking_change"


def publish_urls() -> list[URLPattern]:
    """The routes of these pages."""
    return routes({"publish/": publish, "call_off/": call_off, "revert/<int:number>/": revert})


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A client that will have to send more than it did."""

    client: str
    count: int
    lacks: tuple[str, ...]


class PublishForm(forms.Form):
    """Why, when, and what is known to whoever publishes."""

    note = forms.CharField(
        label=gettext_lazy("What changed"),
        max_length=1000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2, "autofocus": True}),
        help_text=gettext_lazy("Kept with the version, for whoever asks later."),
    )
    when = forms.ChoiceField(
        choices=[("now", gettext_lazy("Now")), ("later", gettext_lazy("At a time"))],
        initial="now",
        widget=forms.RadioSelect,
    )
    at = forms.DateTimeField(
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local", "class": "nt-input"}, format="%Y-%m-%dT%H:%M"),
    )
    seen = forms.BooleanField(label=gettext_lazy("I have looked at the warnings."))
    breaking = forms.BooleanField(label=gettext_lazy("I know that these clients have to send more than before."))

    def __init__(self, data: Any, *, has_warnings: bool, is_breaking: bool) -> None:
        super().__init__(data)
        for name, is_asked in (("seen", has_warnings), ("breaking", is_breaking)):
            if not is_asked:
                del self.fields[name]

    def clean(self) -> dict[str, Any]:
        """A moment where one is needed."""
        given: dict[str, Any] = self.cleaned_data
        if given.get("when") == "later" and "at" not in self.errors:
            if given.get("at") is None:
                self.add_error("at", ValidationError(_("Say when.")))
            elif given["at"] <= timezone.now():
                self.add_error("at", ValidationError(_("This moment is in the past.")))
        return given

    @property
    def moment(self) -> datetime | None:
        """When; None means now."""
        return self.cleaned_data["at"] if self.cleaned_data["when"] == "later" else None


@needs(PUBLISH)
def publish(request: HttpRequest, template_id: UUID) -> HttpResponse:
    """Make the draft live, after a look at what would be wrong with it."""
    template = find_template(template_id)
    draft = template.versions.select_related("template").filter(state=TemplateVersion.State.DRAFT).first()
    if draft is None or template.is_archived:
        messages.info(request, _("There is no draft to publish. Write in the editor, and one begins."))
        return redirect("admin:templates_app_template_editor", template.pk)
    found = check_version(draft, publisher=name_of(person(request)))
    breaking = [each for each in found if each.code == BREAKING]
    errors = [each for each in found if each.level == "error" and each.code != BREAKING]
    warnings = [each for each in found if each.level == "warning"]
    form = PublishForm(
        request.POST if request.method == "POST" else None, has_warnings=bool(warnings), is_breaking=bool(breaking)
    )
    if request.method == "POST" and not errors and form.is_valid() and _publish(request, draft, form):
        return redirect("admin:templates_app_template_versions", template.pk)
    context = {
        "title": _("Publish {name} v{n}").format(name=template.name, n=draft.number),
        "template": template,
        "draft": draft,
        "form": form,
        "errors": [_shown(each) for each in errors],
        "breaking": [_shown(each) for each in breaking],
        "warnings": [_shown(each) for each in warnings],
        "callers": callers_lacking(template, draft),
        "scheduled_by": names_of([draft.publish_asked_by]).get(draft.publish_asked_by, ""),
        "zone": timezone.get_current_timezone_name(),
    }
    return show_page(request, "templates_app/publish", context)


def _publish(request: HttpRequest, draft: TemplateVersion, form: PublishForm) -> bool:
    by, note, moment = person(request), form.cleaned_data["note"], form.moment
    knows = form.cleaned_data.get("breaking", False)
    name = f"{draft.template.name} v{draft.number}"
    try:
        if moment:
            publishing.schedule_publication(draft, at=moment, by=by, note=note, acknowledge_breaking=knows)
            words = _("{name} will be published at {moment}.")
            messages.success(request, words.format(name=name, moment=f"{timezone.localtime(moment):%Y-%m-%d %H:%M}"))
        else:
            publishing.publish(draft, by=by, note=note, acknowledge_breaking=knows)
            messages.success(request, _("{name} is live.").format(name=name))
    except publishing.PublishBlocked as blocked:
        for each in blocked.findings:
            messages.error(request, f"{place_words(each.path, each.line)}: {each.detail}")
        return False
    except VersionIsFixed as fixed:
        messages.error(request, " ".join(fixed.messages))
    return True


def _shown(finding: Finding) -> dict[str, Any]:
    return {"where": place_words(finding.path, finding.line), "detail": finding.detail}


def callers_lacking(template: Template, draft: TemplateVersion) -> list[Caller]:
    """Clients of the last 30 days that did not send what the draft requires, the busiest first."""
    required = {each["name"] for each in draft.variables if each.get("required")}
    return [
        Caller(client=each.client, count=each.count, lacks=tuple(sorted(required - each.names)))
        for each in usage.callers_of(template)
        if required - each.names
    ]


@needs(PUBLISH)
def call_off(request: HttpRequest, template_id: UUID) -> HttpResponse:
    """The draft is not published by itself after all."""
    template = find_template(template_id)
    draft = template.versions.filter(publish_at__isnull=False).first()
    if request.method == "POST" and draft:
        try:
            publishing.call_off_publication(draft, by=person(request))
            messages.success(request, _("Called off. The draft can be changed again."))
        except VersionIsFixed as fixed:
            messages.error(request, " ".join(fixed.messages))
    return redirect("admin:templates_app_template_publish", template.pk)


class RevertForm(forms.Form):
    """Why back."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=1000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2, "autofocus": True}),
        help_text=gettext_lazy("Kept with the version, for whoever asks later."),
    )


@needs(PUBLISH)
def revert(request: HttpRequest, template_id: UUID, number: int) -> HttpResponse:
    """Make a copy of an older version the live one."""
    template = find_template(template_id)
    version = template.versions.filter(number=number).exclude(state=TemplateVersion.State.DRAFT).first()
    if version is None:
        raise Http404
    form = RevertForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        copy = publishing.revert(version, by=person(request), note=form.cleaned_data["reason"])
        words = _("v{n} is live: the words of v{old}.").format(n=copy.number, old=version.number)
        messages.success(request, words)
        return redirect("admin:templates_app_template_versions", template.pk)
    return _ask_revert(request, template, version, form)


def _ask_revert(request: HttpRequest, template: Template, version: TemplateVersion, form: RevertForm) -> HttpResponse:
    live: Sequence[int] = [template.live_version.number] if template.live_version else []
    context = {
        "title": _("Go back to v{n} of {name}?").format(n=version.number, name=template.name),
        "question": _("A copy of v{n} becomes the next version and is live at once. Nothing is rewritten.").format(
            n=version.number
        ),
        "button": _("Go back to v{n}").format(n=version.number),
        "back": reverse("admin:templates_app_template_versions", args=[template.pk]),
        "form": form,
        "facts": [_("Live now: v{n}").format(n=number) for number in live],
        "is_dangerous": True,
    }
    return show_page(request, "ask_first", context)
