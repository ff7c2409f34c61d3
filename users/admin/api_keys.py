"""API keys in the admin."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from users.admin_forms import ApiKeyForm, RevokeForm, RotateForm
from users.api_keys import KeyNotUsable, create_api_key, revoke_api_key, rotate_api_key
from users.models import ApiKey
from users.moments import clock
from users.staff_pages import (
    ReadOnlyAdmin,
    action,
    ask_first,
    display,
)
from users.templatetags.staff_pages import moment

#: State → colour, word.
STATES = {
    "usable": ("success", gettext_lazy("Usable")),
    "revoked": ("plain", gettext_lazy("Revoked")),
    "expired": ("warning", gettext_lazy("Expired")),
}


def _facts(key: ApiKey) -> list[str]:
    """What tells a key from others."""
    used = _("never used")
    if key.last_used_at:
        used = _("last used: {when}").format(when=clock(key.last_used_at))
        used += f" ({key.last_used_from})" if key.last_used_from else ""
    return [f"{key.prefix}…, {key.client}", used]


def _acting(request: HttpRequest) -> dict[str, Any]:
    """Who acts, and from where, for the audit log."""
    return {"by": request.user, "address": request.META.get("REMOTE_ADDR", "")}


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """The credentials of clients: shown once when made, revoked, never changed."""

    list_display = ("name", "shown_prefix", "mode", "client", "state_label", "last_used", "expires", "created")
    list_filter = ("mode",)
    ordering = ("-id",)
    fields = (
        "name",
        "shown_prefix",
        "mode",
        "client",
        "shown_scopes",
        "shown_limits",
        "state_label",
        "created",
        "expires",
        "last_used",
        "last_used_from",
    )
    readonly_fields = fields
    actions_detail = ("rotate", "revoke")
    empty_title = gettext_lazy("No API keys yet")
    empty_text = gettext_lazy("A client needs one to send. Add it here; it is shown once.")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Unlike other read-only pages: keys are made here."""
        return request.user.has_perm("users.add_apikey")

    def has_revoke_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Whoever may change keys."""
        return request.user.has_perm("users.change_apikey")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask for name, client and scopes; answer with the key, which nobody can see again."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = ApiKeyForm(request.POST or None)
        context = {**self.admin_site.each_context(request), "form": form, "title": _("New API key")}
        request.current_app = self.admin_site.name
        if not form.is_valid():
            return TemplateResponse(request, "admin/users/apikey/new.html", context)
        key, plain = create_api_key(
            name=form.cleaned_data["name"],
            client=form.cleaned_data["client"],
            scopes=form.cleaned_data["scopes"],
            mode=ApiKey.Mode(form.cleaned_data["mode"]),
            valid_for=form.valid_for,
            limits=form.cleaned_data["limits"],
        )
        self.log_addition(request, key, "Made")
        return self._made(request, key, plain)

    def _made(self, request: HttpRequest, key: ApiKey, plain: str) -> TemplateResponse:
        """The one page that shows a key."""
        title = _("API key {name}").format(name=key.name)
        context = {**self.admin_site.each_context(request), "title": title, "api_key": key, "plain": plain}
        response = TemplateResponse(request, "admin/users/apikey/made.html", context)
        response["Cache-Control"] = "no-store"
        return response

    @action(description=gettext_lazy("Rotate"), permissions=["revoke"], icon="autorenew")
    def rotate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A new key in its place, after a question; both work for a while."""
        key = self.get_object(request, object_id)
        if key is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined,no-any-return]  # Django's own
        form = RotateForm(request.POST or None)
        if request.method != "POST" or not form.is_valid():
            return ask_first(
                request,
                self,
                title=_("A new key in place of {name}?").format(name=key.name),
                question=_("It is and may the same. The old one works on for the hours below, then it ends."),
                button=_("Make the new key"),
                back=reverse("admin:users_apikey_change", args=[key.pk]),
                form=form,
                facts=_facts(key),
                is_dangerous=False,
            )
        try:
            new, plain = rotate_api_key(key.pk, overlap=form.overlap, **_acting(request))
        except KeyNotUsable:
            messages.error(request, _("This key has ended already. Make a new one."))
            return redirect(reverse("admin:users_apikey_change", args=[key.pk]))
        return self._made(request, new, plain)

    @action(description=gettext_lazy("Revoke"), permissions=["revoke"], icon="block", is_dangerous=True)
    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """End it at once, after a question; whoever ends one in use types its name."""
        key = self.get_object(request, object_id)
        if key is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined,no-any-return]  # Django's own
        back = reverse("admin:users_apikey_change", args=[key.pk])
        form = RevokeForm(request.POST or None, key=key)
        if request.method != "POST" or not form.is_valid():
            return ask_first(
                request,
                self,
                title=_("Revoke {name}?").format(name=key.name),
                question=_("Requests with this key are refused from now on. This cannot be undone."),
                button=_("Revoke"),
                back=back,
                form=form,
                facts=_facts(key),
            )
        revoke_api_key(key.pk, why=form.cleaned_data["reason"], **_acting(request))
        messages.success(request, _("{name} was revoked.").format(name=key.name))
        return redirect(back)

    @display(description=gettext_lazy("Key"))
    def shown_prefix(self, key: ApiKey) -> SafeString:
        """Enough to recognise it."""
        return format_html('<span class="nt-mono">{}…</span>', key.prefix)

    @display(description=gettext_lazy("May"))
    def shown_scopes(self, key: ApiKey) -> str:
        """Its scopes."""
        return ", ".join(key.scopes)

    @display(description=gettext_lazy("Own rate limits"))
    def shown_limits(self, key: ApiKey) -> str:
        """Where it has any."""
        return ", ".join(f"{policy} {rate}" for policy, rate in key.limits.items()) or _("none")

    @display(description=gettext_lazy("State"))
    def state_label(self, key: ApiKey) -> SafeString:
        """Usable, or since when not."""
        tone, words = STATES[key.state]
        return format_html('<span class="nt-chip nt-{}">{}</span>', tone, words)

    @display(description=gettext_lazy("Expires"))
    def expires(self, key: ApiKey) -> str:
        """When, if ever."""
        return moment(key.expires_at) if key.expires_at else _("never")

    @display(description=gettext_lazy("Last used"))
    def last_used(self, key: ApiKey) -> str:
        """When; written down once a minute at most."""
        return moment(key.last_used_at) if key.last_used_at else _("never")

    @display(description=gettext_lazy("Made"))
    def created(self, key: ApiKey) -> str:
        """When."""
        return moment(key.created_at)
