"""Templates in the admin: the list, and what holds for all versions of a template. The other pages are linked here."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, OuterRef, Prefetch, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import URLPattern, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from templates_app import template_life
from templates_app.admin.forms import DuplicateForm, TemplateForm
from templates_app.editor import editor_urls
from templates_app.example_pages import example_urls
from templates_app.file_pages import file_urls, files_page
from templates_app.models import Template, TemplateContent, TemplateVersion
from templates_app.publish_pages import publish_urls
from templates_app.staff_views import PUBLISH, VIEW, WRITE, person
from templates_app.template_pages import template_urls
from templates_app.translation_pages import translation_urls
from templates_app.version_pages import version_urls
from users.channels import Channel
from users.staff_pages import ReasonForm, StaffAdmin, action, ask_first, display
from users.templatetags.staff_pages import moment


@admin.register(Template)
class TemplateAdmin(StaffAdmin):
    """Editors find the messages of the house here."""

    form = TemplateForm
    list_display = ("what", "category", "live", "languages", "channels", "requests", "changed")
    list_filter = ("category", "is_archived")
    search_fields = ("code", "name")
    search_help_text = gettext_lazy("Code or name")
    list_select_related = ("category", "live_version")
    actions = None
    actions_list = ("new_from_example", "files")
    actions_row = ("open_editor", "use_it", "duplicate", "archive")
    actions_detail = ("publish", "duplicate", "archive", "restore")
    change_form_outer_before_template = "admin/templates_app/head_of_form.html"
    fields = (
        ("code", "name"),
        ("category", "default_locale"),
        "description",
        ("layout", "needs_second_person"),
        ("ttl_seconds", "on_unknown"),
    )
    empty_title = gettext_lazy("No templates yet")
    empty_text = gettext_lazy(
        "“New from example” has twelve finished ones. Or add your own: a code, a name, then the words."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Template]:
        """With the languages of the live version, and the draft that waits."""
        contents = TemplateContent.objects.only("version_id", "locale", "channel")
        drafts = TemplateVersion.objects.filter(template=OuterRef("pk"), state=TemplateVersion.State.DRAFT)
        rows: QuerySet[Template] = super().get_queryset(request)
        rows = rows.annotate(draft_number=Subquery(drafts.values("number")[:1]))
        return rows.prefetch_related(Prefetch("live_version__contents", contents))

    def get_urls(self) -> list[URLPattern]:
        """The editor, the versions, and how to use it."""
        own = [
            *example_urls(),
            *file_urls(),
            *editor_urls(),
            *publish_urls(),
            *version_urls(),
            *template_urls(),
            *translation_urls(),
        ]
        return [*own, *super().get_urls()]

    # --- who may do what
    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """Clients know the code."""
        return ("code",) if isinstance(obj, Template) and obj.live_version_id else ()

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Templates are archived: what was sent must stay explainable."""
        return False

    def has_look_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Whoever sees templates sees their words."""
        return request.user.has_perm(VIEW)

    def has_write_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Editors make templates and write drafts."""
        return request.user.has_perms([WRITE, "templates_app.add_template"])

    def has_publish_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Publishers let people read it."""
        return request.user.has_perm(PUBLISH)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """What fits the state of the template."""
        buttons: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc]  # the theme's
        template = self.get_object(request, str(object_id))
        is_archived = bool(template and template.is_archived)
        unfit = {"publish", "archive"} if is_archived else {"restore"}
        if not getattr(template, "draft_number", None):
            unfit.add("publish")
        return [each for each in buttons if each.method.original_function_name not in unfit]

    # --- keeping
    def save_model(self, request: HttpRequest, obj: Template, form: Any, change: bool) -> None:
        """By the use case, which knows what may not change any more."""
        if not change:
            super().save_model(request, obj, form, change)
            return
        names = {"category": "category_id"}
        columns = {names.get(field, field): getattr(obj, names.get(field, field)) for field in form.changed_data}
        try:
            template_life.change_template(obj, by=person(request), **columns)
        except template_life.CodeLocked:
            messages.error(request, _("Something was sent with this code: it never changes any more."))

    def response_add(
        self, request: HttpRequest, obj: Template, post_url_continue: str | None = None
    ) -> HttpResponseRedirect:
        """A new template has no words yet: open the editor."""
        messages.success(request, _("{name} was made. Now its words.").format(name=obj.name))
        return redirect("admin:templates_app_template_editor", obj.pk)

    # --- buttons
    @action(description=gettext_lazy("New from example"), permissions=["write"], icon="auto_awesome")
    def new_from_example(self, request: HttpRequest) -> HttpResponse:
        """Twelve finished templates to choose from."""
        return redirect("admin:templates_app_template_examples")

    @action(description=gettext_lazy("Import and export"), permissions=["look"], icon="swap_vert")
    def files(self, request: HttpRequest) -> HttpResponse:
        """Whole templates as YAML."""
        return files_page(request)

    @action(description=gettext_lazy("Open the editor"), permissions=["look"], icon="edit_note")
    def open_editor(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Its words."""
        return redirect("admin:templates_app_template_editor", self._find(request, object_id).pk)

    @action(description=gettext_lazy("Code to send it"), permissions=["look"], icon="code")
    def use_it(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The call, ready to be copied."""
        return redirect("admin:templates_app_template_use", self._find(request, object_id).pk)

    @action(description=gettext_lazy("Publish…"), permissions=["publish"], icon="publish")
    def publish(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Make the draft live."""
        return redirect("admin:templates_app_template_publish", self._find(request, object_id).pk)

    @action(description=gettext_lazy("Duplicate"), permissions=["write"], icon="content_copy")
    def duplicate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Another template with the same words, as a draft."""
        template = self._find(request, object_id)
        begin = {"code": f"{template.code[:95]}_copy", "name": f"{template.name} (copy)"[:200]}
        form = DuplicateForm(request.POST or None, initial=begin)
        if request.method == "POST" and form.is_valid():
            try:
                copy = template_life.duplicate_template(template, by=person(request), **form.cleaned_data)
            except template_life.CodeTaken:
                form.add_error("code", _("There is a template with this code. Choose another."))
            else:
                self.log_addition(request, copy, f"Duplicated from {template.code}")
                return redirect("admin:templates_app_template_editor", copy.pk)
        return ask_first(
            request,
            self,
            title=_("Duplicate {name}").format(name=template.name),
            question=_("The copy begins with a draft of the same words; nothing is live until you publish it."),
            button=_("Make the copy"),
            back=self._page_of(template),
            form=form,
            is_dangerous=False,
        )

    @action(description=gettext_lazy("Archive"), permissions=["publish"], icon="inventory_2")
    def archive(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Take it out of use."""
        template = self._find(request, object_id)
        return self._with_reason(
            request,
            template,
            is_archived=True,
            title=_("Archive {name}?").format(name=template.name),
            question=_("Nobody can send it any more. What was sent stays readable, and its code stays taken."),
            button=_("Archive it"),
            done=_("{name} is archived.").format(name=template.name),
        )

    @action(description=gettext_lazy("Restore"), permissions=["publish"], icon="unarchive")
    def restore(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Take it into use again."""
        template = self._find(request, object_id)
        return self._with_reason(
            request,
            template,
            is_archived=False,
            title=_("Restore {name}?").format(name=template.name),
            question=_("Clients can send it again, with the words that were live."),
            button=_("Restore it"),
            done=_("{name} is in use again.").format(name=template.name),
        )

    def _with_reason(
        self,
        request: HttpRequest,
        template: Template,
        *,
        is_archived: bool,
        title: str,
        question: str,
        button: str,
        done: str,
    ) -> HttpResponse:
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            reason = form.cleaned_data["reason"]
            change = template_life.archive_template if is_archived else template_life.restore_template
            change(template, by=person(request), reason=reason)
            self.log_change(request, template, f"{'Archived' if is_archived else 'Restored'}: {reason}")
            messages.success(request, done)
            return redirect(self._page_of(template))
        return ask_first(
            request,
            self,
            title=title,
            question=question,
            button=button,
            back=self._page_of(template),
            form=form,
            is_dangerous=is_archived,
        )

    def _find(self, request: HttpRequest, object_id: str) -> Template:
        template = self.get_object(request, object_id)
        if not isinstance(template, Template):
            raise Http404
        # Read anew: those of the list know only parts of their contents, and would be copied as such.
        return Template.objects.select_related("live_version").get(pk=template.pk)

    def _page_of(self, template: Template) -> str:
        return reverse("admin:templates_app_template_change", args=[template.pk])

    # --- the list
    @display(description=gettext_lazy("Template"), header=True)
    def what(self, template: Template) -> list[str]:
        """Name and code."""
        return [template.name, template.code]

    @display(description=gettext_lazy("Live"))
    def live(self, template: Template) -> SafeString:
        """The live version, and whether a draft is newer."""
        version, draft = template.live_version, template.draft_number  # type: ignore[attr-defined]  # annotated above
        chips = [("success", f"v{version.number}")] if version else [("plain", _("not published"))]
        if draft:
            chips.append(("warning", _("● draft v{n}").format(n=draft)))
        if template.is_archived:
            chips.append(("plain", _("archived")))
        return format_html_join(" ", '<span class="nt-chip nt-{}">{}</span>', chips)

    @display(description=gettext_lazy("Languages"))
    def languages(self, template: Template) -> SafeString | str:
        """How many of the live version have words for every channel."""
        words: dict[str, set[str]] = {}
        for content in _live_contents(template):
            words.setdefault(content.locale, set()).add(content.channel)
        if not words:
            return "–"
        every = set().union(*words.values())
        complete = [locale for locale in words if words[locale] == every]
        told = _("{n} of {m}").format(n=len(complete), m=len(words))
        return format_html('{} <span class="nt-subtle">{}</span>', told, ", ".join(sorted(words)))

    @display(description=gettext_lazy("Channels"))
    def channels(self, template: Template) -> str:
        """Of the live version."""
        found = {each.channel for each in _live_contents(template)}
        return ", ".join(str(channel.label) for channel in Channel if channel in found) or "–"

    @display(description=gettext_lazy("Requests"))
    def requests(self, template: Template) -> int | str:
        """How many the live version has had."""
        return template.live_version.sent_count if template.live_version else "–"

    @display(description=gettext_lazy("Changed"), ordering="updated_at")
    def changed(self, template: Template) -> str:
        """When."""
        return moment(template.updated_at)


def _live_contents(template: Template) -> list[TemplateContent]:
    return list(template.live_version.contents.all()) if template.live_version else []
