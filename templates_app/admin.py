"""Templates in the admin: the list, a template with its versions, a version with its words."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, Model, OuterRef, Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.clickjacking import xframe_options_sameorigin

from templates_app import publishing
from templates_app.admin_forms import ContentForm, ContentFormSet, PublishForm, TemplateForm, VersionForm
from templates_app.content_checks import check_version
from templates_app.mail_frame import mail_frame
from templates_app.models import Template, TemplateContent, TemplateVersion, VersionIsFixed
from templates_app.preview import preview
from users.channels import Channel
from users.models import User
from users.staff_pages import StaffAdmin, StaffStackedInline, StaffTabularInline, action, ask_first, display
from users.templatetags.staff_pages import moment

#: The colours of the states of a version.
TONES = {TemplateVersion.State.DRAFT: "warning", TemplateVersion.State.PUBLISHED: "success"}


def state_chip(version: TemplateVersion) -> SafeString:
    """The state as a coloured label."""
    tone = TONES.get(TemplateVersion.State(version.state), "plain")
    label = _("Live") if version.state == TemplateVersion.State.PUBLISHED else version.get_state_display()
    return format_html('<span class="nt-chip nt-{}">{}</span>', tone, label)


class VersionInline(StaffTabularInline):
    """The versions of a template, newest first; each has a page of its own."""

    model = TemplateVersion
    fk_name = "template"
    fields = readonly_fields = ("version", "state_label", "note", "published", "author")
    extra = max_num = 0
    can_delete = False
    hide_title = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[TemplateVersion]:
        """With their authors."""
        return super().get_queryset(request).select_related("template", "created_by")

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """By “New draft”."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """On the version's own page."""
        return False

    @display(description=gettext_lazy("Version"))
    def version(self, version: TemplateVersion) -> SafeString:
        """Leads to its page."""
        address = reverse("admin:templates_app_templateversion_change", args=[version.pk])
        return format_html('<a class="nt-link" href="{}">v{}</a>', address, version.number)

    @display(description=gettext_lazy("State"))
    def state_label(self, version: TemplateVersion) -> SafeString:
        """Coloured."""
        return state_chip(version)

    @display(description=gettext_lazy("Published"))
    def published(self, version: TemplateVersion) -> str:
        """When."""
        return moment(version.published_at)

    @display(description=gettext_lazy("By"))
    def author(self, version: TemplateVersion) -> str:
        """Who made it."""
        return str(version.created_by or "–")


class DraftActions(StaffAdmin):
    """What template pages and version pages can both do."""

    def has_new_draft_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Editors write drafts."""
        return request.user.has_perm("templates_app.change_templateversion")

    def ask_for_draft(
        self, request: HttpRequest, template: Template, *, source: TemplateVersion | None, back: str
    ) -> HttpResponse:
        """Ask, then make the draft and open it."""
        if request.method != "POST":
            words = _("It begins as a copy of v{n}. What is live stays as it is until the draft is published.")
            return ask_first(
                request,
                self,
                title=_("New draft of {name}?").format(name=template.name),
                question=words.format(n=source.number) if source else _("It begins empty."),
                button=_("Make the draft"),
                back=back,
                is_dangerous=False,
            )
        try:
            draft = publishing.new_draft(template, by=_author(request), from_version=source)
        except publishing.DraftExists:
            draft = template.versions.get(state=TemplateVersion.State.DRAFT)
            messages.warning(request, _("There is a draft already; here it is."))
        else:
            self.log_addition(request, draft, "New draft")
        return redirect("admin:templates_app_templateversion_change", draft.pk)


@admin.register(Template)
class TemplateAdmin(DraftActions):
    """Editors find the messages of the house here."""

    form = TemplateForm
    list_display = ("what", "category", "live", "languages", "channels", "changed")
    list_filter = ("category", "is_archived")
    search_fields = ("code", "name")
    search_help_text = gettext_lazy("Code or name")
    list_select_related = ("category", "live_version")
    actions = None
    inlines = (VersionInline,)
    actions_detail = ("new_draft",)
    fields = (
        ("code", "name"),
        ("category", "default_locale"),
        "description",
        ("ttl_seconds", "on_unknown"),
        "is_archived",
    )
    empty_title = gettext_lazy("No templates yet")
    empty_text = gettext_lazy("“make run” brings those of the demo. Add your own: a code, a name, then the words.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Template]:
        """With the languages of the live version, and whether a draft waits."""
        contents = TemplateContent.objects.only("version_id", "locale", "channel")
        drafts = TemplateVersion.objects.filter(template=OuterRef("pk"), state=TemplateVersion.State.DRAFT)
        rows: QuerySet[Template] = super().get_queryset(request)
        return rows.annotate(has_draft=Exists(drafts)).prefetch_related(Prefetch("live_version__contents", contents))

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """Clients know the code."""
        return ("code",) if isinstance(obj, Template) and obj.live_version_id else ()

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Templates are archived: what was sent must stay explainable."""
        return False

    def get_inlines(self, request: HttpRequest, obj: Model | None) -> Any:
        """Versions once there is a template."""
        return self.inlines if obj else ()

    def response_add(
        self, request: HttpRequest, obj: Template, post_url_continue: str | None = None
    ) -> HttpResponseRedirect:
        """A new template has no words yet: open its first draft."""
        draft = publishing.new_draft(obj, by=_author(request))
        messages.success(request, _("{name} was made. Now its words.").format(name=obj.name))
        return redirect("admin:templates_app_templateversion_change", draft.pk)

    @action(description=gettext_lazy("New draft"), permissions=["new_draft"], icon="edit_note")
    def new_draft(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Begin the next version."""
        template = self.get_object(request, object_id)
        if template is None:
            raise Http404
        back = reverse("admin:templates_app_template_change", args=[template.pk])
        return self.ask_for_draft(request, template, source=template.live_version, back=back)

    @display(description=gettext_lazy("Template"), header=True)
    def what(self, template: Template) -> list[str]:
        """Name and code."""
        return [template.name, template.code]

    @display(description=gettext_lazy("Live"))
    def live(self, template: Template) -> SafeString:
        """The live version, and whether a draft waits."""
        version = template.live_version
        chips = [("success", f"v{version.number}")] if version else [("plain", _("not published"))]
        if template.has_draft:  # type: ignore[attr-defined]  # annotated above
            chips.append(("warning", _("draft")))
        if template.is_archived:
            chips.append(("plain", _("archived")))
        return SafeString(
            " ".join(format_html('<span class="nt-chip nt-{}">{}</span>', tone, words) for tone, words in chips)
        )

    @display(description=gettext_lazy("Languages"))
    def languages(self, template: Template) -> str:
        """Of the live version."""
        return ", ".join(sorted({each.locale for each in _live_contents(template)})) or "–"

    @display(description=gettext_lazy("Channels"))
    def channels(self, template: Template) -> str:
        """Of the live version."""
        found = {each.channel for each in _live_contents(template)}
        return ", ".join(str(channel.label) for channel in Channel if channel in found) or "–"

    @display(description=gettext_lazy("Changed"), ordering="updated_at")
    def changed(self, template: Template) -> str:
        """When."""
        return moment(template.updated_at)


class ContentInline(StaffStackedInline):
    """The words of one channel; changeable as long as the version is a draft."""

    model = TemplateContent
    form = ContentForm
    formset = ContentFormSet
    extra = 0
    tab = True
    collapsible = True
    readonly_fields = ("look",)
    channel: Channel

    def get_queryset(self, request: HttpRequest) -> QuerySet[TemplateContent]:
        """Those of this channel."""
        return super().get_queryset(request).filter(channel=self.channel)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """More languages for drafts only."""
        return super().has_add_permission(request, obj) and _is_draft(obj)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """What was published never changes."""
        return super().has_change_permission(request, obj) and _is_draft(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """What was published never changes."""
        return super().has_delete_permission(request, obj) and _is_draft(obj)

    @display(description=gettext_lazy("Preview"))
    def look(self, content: TemplateContent) -> SafeString | str:
        """Leads to the words with example values."""
        if content._state.adding:
            return _("after saving")
        address = reverse("admin:templates_app_templateversion_look", args=[content.version_id, content.pk])
        return format_html('<a class="nt-link" href="{}">{}</a>', address, _("Look at it with example values"))


class EmailInline(ContentInline):
    """E-mail."""

    channel = Channel.EMAIL
    verbose_name = gettext_lazy("E-mail")
    verbose_name_plural = gettext_lazy("E-mail")
    fields = (("locale", "look"), ("subject", "preheader"), "html", "text")


class PushInline(ContentInline):
    """Push."""

    channel = Channel.PUSH
    verbose_name = gettext_lazy("Push")
    verbose_name_plural = gettext_lazy("Push")
    fields = (("locale", "look"), "title", "body", ("image", "link"), "data")


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
        return super().has_change_permission(request, obj) and _is_draft(obj)

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
        unfit = "new_draft" if _is_draft(version) else "publish"
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
            publishing.publish(version, by=_author(request), note=form.cleaned_data["note"])
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
        request.current_app = self.admin_site.name  # type: ignore[attr-defined]  # read by the theme's header
        return TemplateResponse(request, "admin/templates_app/templateversion/look.html", context)

    def preview_view(self, request: HttpRequest, version_id: UUID, content_id: int) -> HttpResponse:
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
        rows = [
            format_html('<li><span class="nt-chip nt-{}">{}</span> {}</li>', *_finding_chip(each), _finding_words(each))
            for each in found
        ]
        return format_html('<ul class="nt-findings">{}</ul>', SafeString("".join(rows))) if rows else _("All is well.")

    @display(description=gettext_lazy("Variables"))
    def variables_table(self, version: TemplateVersion) -> str:
        """What a client must send."""
        return render_to_string("admin/templates_app/templateversion/variables.html", {"variables": version.variables})


def _live_contents(template: Template) -> list[TemplateContent]:
    return list(template.live_version.contents.all()) if template.live_version else []


def _is_draft(version: Model | None) -> bool:
    """True also for “any”, when the admin asks without a version."""
    return not isinstance(version, TemplateVersion) or version.state == TemplateVersion.State.DRAFT


def _page_of(version: TemplateVersion) -> str:
    return reverse("admin:templates_app_templateversion_change", args=[version.pk])


def _author(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


def _finding_words(finding: Any) -> str:
    line = _(", line {n}").format(n=finding.line) if finding.line else ""
    return f"{finding.path.removeprefix('contents/')}{line}: {finding.detail}"


def _finding_chip(finding: Any) -> tuple[str, str]:
    return ("danger", _("mend it")) if finding.level == "error" else ("warning", _("look at it"))
