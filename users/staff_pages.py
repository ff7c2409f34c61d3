"""What all staff pages share: lists that do not count, pages that only show, a question before an act.

The admin theme ships no types; its classes and decorators are named here once, with types, for every `admin.py`.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from django import forms
from django.core.paginator import Page
from django.db.models import Model
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action as theme_action
from unfold.decorators import display as theme_display
from unfold.enums import ActionVariant
from unfold.paginator import InfinitePaginator as ThemePaginator
from unfold.widgets import UnfoldAdminTextInputWidget

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin, StackedInline, TabularInline

    StaffForm = forms.ModelForm[Any]
    StaffAdmin = ModelAdmin[Any]
    StaffStackedInline = StackedInline[Any, Any]
    StaffTabularInline = TabularInline[Any, Any]
else:
    from django.forms import ModelForm as StaffForm
    from unfold.admin import ModelAdmin as StaffAdmin
    from unfold.admin import StackedInline as StaffStackedInline
    from unfold.admin import TabularInline as StaffTabularInline

__all__ = [
    "InfinitePaginator",
    "ReadOnlyAdmin",
    "ReasonForm",
    "StaffAdmin",
    "StaffForm",
    "StaffStackedInline",
    "StaffTabularInline",
    "action",
    "ask_first",
    "display",
    "who_acts",
]

Words = str | Promise
Method = TypeVar("Method", bound=Callable[..., Any])


def action(
    *, description: Words, permissions: Sequence[str], icon: str = "", is_dangerous: bool = False
) -> Callable[[Method], Method]:
    """A button of a staff page. `permissions` cannot be left out: a bare action is open to every staff account.

    Each name `x` is asked as `has_x_permission(request, object_id=None)`.
    """
    variant = ActionVariant.DANGER if is_dangerous else ActionVariant.DEFAULT
    made: Callable[[Method], Method] = theme_action(
        description=description, permissions=list(permissions), icon=icon or None, variant=variant
    )
    return made


def display(*, description: Words, **options: Any) -> Callable[[Method], Method]:
    """A column or field of a staff page; `label=True`, `header=True` and `boolean=True` as in the theme."""
    made: Callable[[Method], Method] = theme_display(description=description, **options)
    return made


class InfinitePaginator(ThemePaginator):  # type: ignore[misc]  # the theme ships no types
    """Pages of a big table without ever counting it: one row more than shown tells whether there is a next page.

    The theme knows by the name of the class that there is no total to be shown.
    """

    template_name = "admin/uncounted_pagination.html"
    has_more = False

    def page(self, number: int | str) -> Page[Any]:
        """The rows of one page; `has_more` then says whether there are further ones."""
        valid: int = self.validate_number(number)
        start = (valid - 1) * self.per_page
        rows = list(self.object_list[start : start + self.per_page + 1])
        self.has_more = len(rows) > self.per_page
        page: Page[Any] = self._get_page(rows[: self.per_page], valid, self)
        return page


class ReadOnlyAdmin(StaffAdmin):
    """Pages that show and never edit; what may be done is an action with a permission of its own."""

    actions: Any = None
    show_full_result_count = False
    paginator = InfinitePaginator
    list_per_page = 20
    sortable_by = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Rows are made by the product, not by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nothing is edited."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nothing is deleted by hand."""
        return False


class ReasonForm(forms.Form):
    """Why somebody does what cannot be taken back."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=200,
        help_text=_("Kept with the act, for whoever asks later."),
        widget=UnfoldAdminTextInputWidget(attrs={"autofocus": True}),
    )


def ask_first(
    request: HttpRequest,
    model_admin: StaffAdmin,
    *,
    title: Words,
    question: Words,
    button: Words,
    back: str,
    form: forms.Form | None = None,
    facts: Sequence[Words] = (),
    hidden: Sequence[tuple[str, str]] = (),
    is_dangerous: bool = True,
) -> TemplateResponse:
    """The page between a button and its act: what will happen, to what, and why. Posts back to the same address.

    `facts` lists what is touched, at most a handful; `hidden` are (name, value) pairs the post must repeat.
    """
    context = {
        **model_admin.admin_site.each_context(request),
        "title": title,
        "question": question,
        "button": button,
        "back": back,
        "form": form,
        "facts": facts,
        "hidden": hidden,
        "is_dangerous": is_dangerous,
    }
    return TemplateResponse(request, "admin/ask_first.html", context)


def who_acts(request: HttpRequest) -> str:
    """How the acting person is named in timelines."""
    user = request.user
    return str(getattr(user, "name", "") or user.get_username() or user.pk)
