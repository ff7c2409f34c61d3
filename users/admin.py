"""People, categories and API keys in the admin."""

from contextlib import suppress
from typing import Any
from urllib.parse import quote

from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.forms import AdminPasswordChangeForm

from users.admin_forms import ApiKeyForm, DeviceForm, PersonChangeForm, PersonCreationForm, QuietHoursForm
from users.api_keys import create_api_key, revoke_api_key
from users.masking import mask_email
from users.models import ApiKey, Category, Device, Preference, QuietHours, User
from users.moments import clock
from users.staff_pages import (
    InfinitePaginator,
    ReadOnlyAdmin,
    StaffAdmin,
    StaffStackedInline,
    StaffTabularInline,
    action,
    ask_first,
    display,
)
from users.templatetags.staff_pages import moment

admin.site.unregister(Group)


@admin.register(Group)
class StaffGroupAdmin(GroupAdmin, StaffAdmin):
    """Named sets of permissions for staff."""


class DeviceInline(StaffTabularInline):
    """Where pushes go."""

    model = Device
    form = DeviceForm
    fields = ("name", "platform", "provider", "token", "is_active", "inactive_reason", "last_success")
    readonly_fields = ("inactive_reason", "last_success")
    extra = 0
    tab = True

    @display(description=gettext_lazy("Last success"))
    def last_success(self, device: Device) -> str:
        """When a push was last taken for it."""
        return moment(device.last_success_at)


class PreferenceInline(StaffTabularInline):
    """What the person wants; no row means: wanted."""

    model = Preference
    fields = ("channel", "category", "is_enabled")
    extra = 0
    tab = True

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """No category means all of them."""
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field is not None:
            field.empty_label = _("everything on this channel")
        return field


class QuietHoursInline(StaffStackedInline):
    """When the person wants silence."""

    model = QuietHours
    form = QuietHoursForm
    fields = (("is_enabled", "timezone"), ("start", "end"), "days", "channels")
    extra = 0
    tab = True


@admin.register(User)
class PersonAdmin(UserAdmin, StaffAdmin):  # type: ignore[type-arg]  # Django's class takes none at run time
    """People who can be reached, and those who may sign in here. Only the owner touches the accounts of staff."""

    form = PersonChangeForm
    add_form = PersonCreationForm
    add_form_template = None
    change_password_form = AdminPasswordChangeForm
    actions = None
    paginator = InfinitePaginator
    show_full_result_count = False
    list_per_page = 20
    list_display = ("who", "external_id", "locale", "timezone", "remarks")
    list_filter = ("is_active", "is_staff")
    search_fields = ("external_id__istartswith", "name__istartswith")
    search_help_text = gettext_lazy("Beginning of id or name, or a whole e-mail address")
    ordering = ("-id",)
    inlines = (PreferenceInline, QuietHoursInline, DeviceInline)
    filter_horizontal = ()
    readonly_fields = ("created", "masked_email", "last_login", "was_sent")
    empty_title = gettext_lazy("No people yet")
    empty_text = gettext_lazy("“make run” brings the people of the demo; you can also add one by hand.")
    add_fieldsets = (
        (None, {"fields": (("name", "email"), ("external_id",), ("locale", "timezone"))}),
        (gettext_lazy("Sign-in"), {"fields": ("is_staff", "usable_password", "password1", "password2")}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Who may only look sees the address masked; accounts of staff are the owner's business."""
        if obj is None:
            return self.add_fieldsets
        email = "email" if self.has_change_permission(request, obj) else "masked_email"
        person = (
            None,
            {
                "fields": (
                    ("name", email),
                    ("external_id", "is_active"),
                    ("locale", "timezone"),
                    ("created", "was_sent"),
                )
            },
        )
        if not request.user.is_superuser:
            return (person,)
        sign_in = {"fields": ("password", "last_login", ("is_staff", "is_superuser"), "groups")}
        return (person, (gettext_lazy("Sign-in"), sign_in))

    def get_form(self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any) -> Any:
        """Without the owner's rights nobody makes staff."""
        form = super().get_form(request, obj, change=change, **kwargs)
        if not request.user.is_superuser:
            form.base_fields.pop("is_staff", None)
        return form

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Support may correct a person's data, not the accounts of colleagues."""
        is_staff = isinstance(obj, User) and (obj.is_staff or obj.is_superuser)
        return super().has_change_permission(request, obj) and (request.user.is_superuser or not is_staff)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """People are switched off, not deleted: what they were sent must stay explainable."""
        return False

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[User], search_term: str) -> Any:
        """Addresses are encrypted: one is found as a whole, or not at all."""
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        if "@" in search_term:
            found |= queryset.with_email(search_term)  # type: ignore[attr-defined]  # of our manager
        return found, may_repeat

    def get_inlines(self, request: HttpRequest, obj: Model | None) -> Any:
        """Wishes and devices once the person exists."""
        return self.inlines if obj else ()

    @display(description=gettext_lazy("Person"), header=True)
    def who(self, person: User) -> list[str]:
        """Name and masked address."""
        return [str(person), mask_email(person.email) if person.email else _("no e-mail address")]

    @display(description=gettext_lazy("E-mail"))
    def masked_email(self, person: User) -> str:
        """For those who may only look."""
        return mask_email(person.email) if person.email else "–"

    @display(description=gettext_lazy("Remarks"))
    def remarks(self, person: User) -> SafeString:
        """What is unusual about this person."""
        chips = [("info", _("staff"))] if person.is_staff else []
        if not person.is_active:
            chips.append(("warning", _("switched off")))
        return format_html_join(" ", '<span class="nt-chip nt-{}">{}</span>', chips)

    @display(description=gettext_lazy("Messages"))
    def was_sent(self, person: User) -> SafeString | str:
        """Leads to what this person was sent."""
        with suppress(NoReverseMatch):  # the list stands further up the house; it is known by its name only
            address = f"{reverse('admin:gateway_notification_changelist')}?q={quote(str(person.pk))}"
            return format_html('<a class="nt-link" href="{}">{}</a>', address, _("What this person was sent"))
        return "–"

    @display(description=gettext_lazy("Since"))
    def created(self, person: User) -> str:
        """When we first heard of them."""
        return moment(person.created_at)


@admin.register(Category)
class CategoryAdmin(StaffAdmin):
    """What a person can turn off."""

    list_display = ("name", "code", "is_mandatory", "is_marketing", "ignores_quiet_hours")
    actions = None

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """Templates and wishes refer to the code."""
        return ("code",) if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Templates and wishes refer to it."""
        return False


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """The credentials of clients: shown once when made, revoked, never changed."""

    list_display = ("name", "shown_prefix", "mode", "client", "state_label", "last_used", "created")
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
    )
    readonly_fields = fields
    actions_detail = ("revoke",)
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
        context |= {"title": _("API key {name}").format(name=key.name), "api_key": key, "plain": plain}
        response = TemplateResponse(request, "admin/users/apikey/made.html", context)
        response["Cache-Control"] = "no-store"
        return response

    @action(description=gettext_lazy("Revoke"), permissions=["revoke"], icon="block", is_dangerous=True)
    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """End it at once, after a question."""
        key = self.get_object(request, object_id)
        if key is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined,no-any-return]  # Django's own
        back = reverse("admin:users_apikey_change", args=[key.pk])
        if request.method != "POST":
            used = _("Last used: {when}").format(when=clock(key.last_used_at) if key.last_used_at else _("never"))
            return ask_first(
                request,
                self,
                title=_("Revoke {name}?").format(name=key.name),
                question=_("Requests with this key are refused from now on. This cannot be undone."),
                button=_("Revoke"),
                back=back,
                facts=[f"{key.prefix}…", used],
            )
        revoke_api_key(key.pk)
        self.log_change(request, key, "Revoked")
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
        tone, words = "success", _("Usable")
        if key.revoked_at:
            tone, words = "plain", _("Revoked")
        elif key.expires_at and key.expires_at <= timezone.now():
            tone, words = "warning", _("Expired")
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
