"""One version in the admin: its variables, its words, the checks, and publishing."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.clickjacking import xframe_options_sameorigin

from templates_app import publishing
from templates_app.admin.contents import EmailInline, PushInline
from templates_app.admin.drafts import DraftActions, author, is_draft, state_chip
from templates_app.admin.forms import PublishForm, VersionForm
from templates_app.content_checks import Finding, check_version
from templates_app.mail_frame import mail_frame
from templates_app.models import TemplateContent, TemplateVersion, VersionIsFixed
from templates_app.preview import preview
from users.channels import Channel
from users.staff_pages import action, ask_first, display
from users.templatetags.staff_pages import moment


@admin.register(TemplateVersion)
class TemplateVersionAdmin(DraftActions):
    """One version: its variables, its words per language and channel."""

    form = VersionForm
    actions = None
    inlines = (EmailInline, PushInline)
    actions_detail = ("new_draft", "publish")
    list_display = ("__str__", "state_label", "note", "published")
    list_select_related = ("template",)
    ordering = ("template__code", "-number")
    readonly_fields = ("of_template", "state_words", "note", "findings", "variables_table")

    def has_publish_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Publishers let people read it."""
        return request.user.has_perm("templates_app.publish_templateversion")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """By “New draft”."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """What was published never changes."""
        return super().has_change_permission(request, obj) and is_draft(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Numbers have no gaps."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[TemplateVersion]:
        """With their templates."""
        rows: QuerySet[TemplateVersion] = super().get_queryset(request)
        return rows.select_related("template", "template__live_version", "created_by")

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Findings and the variables' source only where something can be changed."""
        shown = ["of_template", "state_words", "note", "variables_table"]
        if self.has_change_permission(request, obj):
            shown[2:3] = ["findings"]
            shown.append("variables")
        return shown

    def get_urls(self) -> list[URLPattern]:
        """Two more: a content with example values, and its HTML for the frame, under its own policy."""
        look = self.admin_site.admin_view(self.look_view)
        frame = self.admin_site.admin_view(xframe_options_sameorigin(self.preview_view))
        return [
            path("<uuid:version_id>/look/<int:content_id>/", look, name="templates_app_templateversion_look"),
            path("<uuid:version_id>/preview/<int:content_id>/", frame, name="templates_app_templateversion_preview"),
            *super().get_urls(),
        ]

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Publishing is for drafts, a new draft for the rest."""
        buttons: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc]  # the theme's
        version = self.get_object(request, str(object_id))
        unfit = "new_draft" if is_draft(version) else "publish"
        return [each for each in buttons if each.method.original_function_name != unfit]

    def save_model(self, request: HttpRequest, obj: TemplateVersion, form: Any, change: bool) -> None:
        """Only the variables are the form's."""
        if "variables" in form.changed_data:
            publishing.save_variables(obj, obj.variables)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """The words that changed, one content at a time."""
        channel = Channel.PUSH if "title" in formset.form.base_fields else Channel.EMAIL
        for content in formset.save(commit=False):
            words = {field: getattr(content, field) for field in publishing.FIELDS[channel]}
            publishing.save_content(content.version, locale=content.locale, channel=channel, words=words)
        for content in formset.deleted_objects:
            content.delete()

    @action(description=gettext_lazy("New draft from this version"), permissions=["new_draft"], icon="edit_note")
    def new_draft(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Begin the next version as a copy of this one."""
        version = self._find(request, object_id)
        return self.ask_for_draft(request, version.template, source=version, back=_page_of(version))

    @action(description=gettext_lazy("Publish"), permissions=["publish"], icon="publish")
    def publish(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Make it live, after a look at what would be wrong with it."""
        version = self._find(request, object_id)
        form = PublishForm(request.POST or None)
        if request.method != "POST" or not form.is_valid():
            title = _("Publish {name} v{n}?").format(name=version.template.name, n=version.number)
            return ask_first(
                request,
                self,
                title=title,
                question=_("From now on every request gets these words. They never change again; a new draft can."),
                button=_("Publish"),
                back=_page_of(version),
                form=form,
                facts=[_finding_words(each) for each in check_version(version)],
                is_dangerous=False,
            )
        try:
            publishing.publish(version, by=author(request), note=form.cleaned_data["note"])
        except publishing.PublishBlocked as blocked:
            for each in blocked.findings:
                messages.error(request, _finding_words(each))
        except VersionIsFixed as fixed:
            messages.error(request, " ".join(fixed.messages))
        else:
            self.log_change(request, version, f"Published: {form.cleaned_data['note']}")
            words = _("{name} v{n} is live.").format(name=version.template.name, n=version.number)
            messages.success(request, words)
        return HttpResponseRedirect(_page_of(version))

    def look_view(self, request: HttpRequest, version_id: UUID, content_id: int) -> HttpResponse:
        """One content as the person gets it, with example values."""
        content = self._content(request, version_id, content_id)
        version = content.version
        title = _("{name} v{n}, {locale}").format(name=version.template.name, n=version.number, locale=content.locale)
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "content": content,
            "preview": preview(content),
            "back": _page_of(version),
            "frame_url": reverse("admin:templates_app_templateversion_preview", args=[version_id, content_id]),
            "now": timezone.now(),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/templates_app/templateversion/look.html", context)

    def preview_view(self, request: HttpRequest, version_id: UUID, content_id: int) -> HttpResponseBase:
        """The HTML alone."""
        return mail_frame(request, preview(self._content(request, version_id, content_id)).html)

    def _find(self, request: HttpRequest, object_id: str) -> TemplateVersion:
        version = self.get_object(request, object_id)
        if not isinstance(version, TemplateVersion):
            raise Http404
        return version

    def _content(self, request: HttpRequest, version_id: UUID, content_id: int) -> TemplateContent:
        if not self.has_view_permission(request):
            raise PermissionDenied
        content = (
            TemplateContent.objects.filter(pk=content_id, version=version_id)
            .select_related("version__template")
            .first()
        )
        if content is None:
            raise Http404
        return content

    @display(description=gettext_lazy("Template"))
    def of_template(self, version: TemplateVersion) -> SafeString:
        """Leads to its page."""
        address = reverse("admin:templates_app_template_change", args=[version.template_id])
        return format_html('<a class="nt-link" href="{}">{}</a>', address, version.template.name)

    @display(description=gettext_lazy("State"))
    def state_label(self, version: TemplateVersion) -> SafeString:
        """Coloured."""
        return state_chip(version)

    @display(description=gettext_lazy("State"))
    def state_words(self, version: TemplateVersion) -> SafeString:
        """Coloured, and what it means for whoever wants to change something."""
        words = {
            TemplateVersion.State.DRAFT: _("Nobody gets it yet. Change it as you like, then publish it."),
            TemplateVersion.State.PUBLISHED: _(
                "Every request gets it. It never changes; make a new draft to change the words."
            ),
            TemplateVersion.State.RETIRED: _(
                "It was live before. It never changes; make a new draft of it to use it again."
            ),
        }
        return format_html("{} {}", state_chip(version), words[TemplateVersion.State(version.state)])

    @display(description=gettext_lazy("Published"))
    def published(self, version: TemplateVersion) -> str:
        """When."""
        return moment(version.published_at)

    @display(description=gettext_lazy("Checks"))
    def findings(self, version: TemplateVersion) -> SafeString | str:
        """What blocks publishing, and what one should look at."""
        found = check_version(version)
        rows = ((*_finding_chip(each), _finding_words(each)) for each in found)
        listed = format_html_join("", '<li><span class="nt-chip nt-{}">{}</span> {}</li>', rows)
        return format_html('<ul class="nt-findings">{}</ul>', listed) if found else _("All is well.")

    @display(description=gettext_lazy("Variables"))
    def variables_table(self, version: TemplateVersion) -> str:
        """What a client must send."""
        return render_to_string("admin/templates_app/templateversion/variables.html", {"variables": version.variables})


def _page_of(version: TemplateVersion) -> str:
    return reverse("admin:templates_app_templateversion_change", args=[version.pk])


def _finding_words(finding: Finding) -> str:
    line = _(", line {n}").format(n=finding.line) if finding.line else ""
    return f"{finding.path.removeprefix('contents/')}{line}: {finding.detail}"


def _finding_chip(finding: Finding) -> tuple[str, str]:
    return ("danger", _("mend it")) if finding.level == "error" else ("warning", _("look at it"))
