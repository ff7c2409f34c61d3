"""What template pages and version pages share: the colours of the states, and the way to a new draft."""

from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from templates_app import publishing
from templates_app.models import Template, TemplateVersion
from users.models import User
from users.staff_pages import StaffAdmin, ask_first

#: The colours of the states of a version.
TONES = {TemplateVersion.State.DRAFT: "warning", TemplateVersion.State.PUBLISHED: "success"}


def state_chip(version: TemplateVersion) -> SafeString:
    """The state as a coloured label."""
    tone = TONES.get(TemplateVersion.State(version.state), "plain")
    label = _("Live") if version.state == TemplateVersion.State.PUBLISHED else version.get_state_display()
    return format_html('<span class="nt-chip nt-{}">{}</span>', tone, label)


def is_draft(version: Model | None) -> bool:
    """True also for “any”, when the admin asks without a version."""
    return not isinstance(version, TemplateVersion) or version.state == TemplateVersion.State.DRAFT


def author(request: HttpRequest) -> User | None:
    """Who makes a version."""
    return request.user if isinstance(request.user, User) else None


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
            draft = publishing.new_draft(template, by=author(request), from_version=source)
        except publishing.DraftExists:
            draft = template.versions.get(state=TemplateVersion.State.DRAFT)
            messages.warning(request, _("There is a draft already; here it is."))
        else:
            self.log_addition(request, draft, "New draft")
        return redirect("admin:templates_app_templateversion_change", draft.pk)
