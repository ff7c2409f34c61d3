"""Templates in the admin: the list, and a template with its versions."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Exists, Model, OuterRef, Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from templates_app import publishing
from templates_app.admin.drafts import DraftActions, author, state_chip
from templates_app.admin.forms import TemplateForm
from templates_app.models import Template, TemplateContent, TemplateVersion
from users.channels import Channel
from users.staff_pages import StaffTabularInline, action, display
from users.templatetags.staff_pages import moment


class VersionInline(StaffTabularInline):
    """The versions of a template, newest first; each has a page of its own."""

    model = TemplateVersion
    fk_name = "template"
    fields = readonly_fields = ("version", "state_label", "note", "published", "made_by")
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
    def made_by(self, version: TemplateVersion) -> str:
        """Who made it."""
        return str(version.created_by or "–")


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
        draft = publishing.new_draft(obj, by=author(request))
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
        return format_html_join(" ", '<span class="nt-chip nt-{}">{}</span>', chips)

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


def _live_contents(template: Template) -> list[TemplateContent]:
    return list(template.live_version.contents.all()) if template.live_version else []
