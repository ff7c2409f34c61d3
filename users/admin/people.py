"""People and categories in the admin."""

from contextlib import suppress
from typing import Any, cast
from urllib.parse import quote

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.forms import AdminPasswordChangeForm

from users.admin.person_pages import PersonPages
from users.admin.personal_data import PersonalDataActions
from users.admin.table_files import TableFiles, TableKind
from users.admin_forms import PersonChangeForm, PersonCreationForm
from users.masking import mask_email
from users.models import Category, User
from users.people_files import COLUMNS
from users.people_import import import_recipients
from users.staff_pages import (
    InfinitePaginator,
    StaffAdmin,
    display,
)
from users.staff_roles import set_roles
from users.table_exports import PeopleTable
from users.templatetags.staff_pages import moment


@admin.register(User)
class PersonAdmin(PersonPages, TableFiles, UserAdmin, PersonalDataActions):  # type: ignore[type-arg]  # Django's class takes none at run time
    """People who can be reached, and those who may sign in here. Only who gives roles touches the accounts of staff."""

    form = PersonChangeForm
    add_form = PersonCreationForm
    add_form_template = None
    change_password_form = AdminPasswordChangeForm
    actions = None
    paginator = InfinitePaginator
    show_full_result_count = False
    list_per_page = 20
    list_display = ("who", "external_id", "locale", "timezone", "remarks")
    list_filter = ("is_active", "is_staff", "groups")
    search_fields = ("external_id__istartswith", "name__istartswith")
    search_help_text = gettext_lazy("Beginning of id or name, or a whole e-mail address")
    ordering = ("-id",)
    change_form_outer_before_template = "admin/users/user/head_of_form.html"
    filter_horizontal = ()
    readonly_fields = ("created", "masked_email", "whole_email", "last_login", "was_sent")
    empty_title = gettext_lazy("No people yet")
    empty_text = gettext_lazy("“make run” brings the people of the demo; you can also add one by hand.")
    table_kind = TableKind(
        name="people",
        title=gettext_lazy("People as files"),
        table=PeopleTable,
        columns=COLUMNS,
        import_file=import_recipients,
        taken_words=gettext_lazy("Everybody, with the columns of the import."),
        brought_words=gettext_lazy(
            "Who is there already is known by external_id, else by the address, and is changed; an empty cell leaves "
            "a value as it is."
        ),
    )
    add_fieldsets = (
        (None, {"fields": (("name", "email"), ("external_id",), ("locale", "timezone"))}),
        (gettext_lazy("Sign-in"), {"fields": ("roles", "usable_password", "password1", "password2")}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """The address is masked unless somebody asked for it; accounts of staff are the owner's business."""
        if not isinstance(obj, User):
            return self.add_fieldsets
        is_shown = self.is_shown(request, obj)
        if self.has_change_permission(request, obj) and (is_shown or not obj.email):
            email = "email"
        else:
            email = "whole_email" if is_shown else "masked_email"
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
        if not self.may_manage_staff(request):
            return (person,)
        sign_in = {"fields": ("roles", "password", "last_login")}
        return (person, (gettext_lazy("Sign-in"), sign_in))

    def get_form(self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any) -> Any:
        """Without the owner's rights nobody makes staff."""
        form = super().get_form(request, obj, change=change, **kwargs)
        if not self.may_manage_staff(request):
            form.base_fields.pop("roles", None)
        return form

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Roles last, when the person is there."""
        super().save_related(request, form, formsets, change)
        if "roles" in form.cleaned_data:
            set_roles(
                person=form.instance,
                roles=form.cleaned_data["roles"],
                by=cast(User, request.user),
                address=request.META.get("REMOTE_ADDR", ""),
            )

    def may_take(self, request: HttpRequest) -> bool:
        """Hand out personal data, of everybody."""
        return request.user.has_perm("users.export_person")

    def may_bring(self, request: HttpRequest) -> bool:
        """A file may change anybody, colleagues among them."""
        return request.user.has_perms(["users.add_user", "users.change_user", "users.manage_staff"])

    @staticmethod
    def may_manage_staff(request: HttpRequest) -> bool:
        """Whether they give roles and touch the accounts of colleagues."""
        return request.user.has_perm("users.manage_staff")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Support may correct a person's data, not the accounts of colleagues."""
        is_staff = isinstance(obj, User) and (obj.is_staff or obj.is_superuser)
        return super().has_change_permission(request, obj) and (self.may_manage_staff(request) or not is_staff)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """People are switched off, not deleted: what they were sent must stay explainable."""
        return False

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[User], search_term: str) -> Any:
        """Addresses are encrypted: one is found as a whole, or not at all."""
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        if "@" in search_term:
            found |= queryset.with_email(search_term)  # type: ignore[attr-defined]  # of our manager
        return found, may_repeat

    @display(description=gettext_lazy("Person"), header=True)
    def who(self, person: User) -> list[str]:
        """Name and masked address."""
        return [str(person), mask_email(person.email) if person.email else _("no e-mail address")]

    @display(description=gettext_lazy("E-mail"))
    def masked_email(self, person: User) -> str:
        """“Show address” shows it."""
        return mask_email(person.email) if person.email else "–"

    @display(description=gettext_lazy("E-mail"))
    def whole_email(self, person: User) -> str:
        """For those who asked for it."""
        return person.email or "–"

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
