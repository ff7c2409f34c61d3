"""What staff may do with a person's data: look at the address, hand all of it out, erase it. Each is noted."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from users.audit import note
from users.json_text import to_json
from users.masking import mask_email
from users.models import User
from users.privacy import erase_recipient, export_recipient
from users.staff_pages import ReasonForm, StaffAdmin, action, ask_first
from users.suppressions import AlreadyBlocked, NotBlockable, block_address_of

#: So long an address stays visible to whoever asked for it. Seconds.
SHOWN_FOR = 600
_SHOWN = "addresses_shown"


def of_person(act: Callable[[Any, HttpRequest, User], HttpResponse]) -> Callable[[Any, HttpRequest, str], HttpResponse]:
    """What is done to a person, as an action of their page; back to the list when there is nobody of this id."""

    @wraps(act)
    def of_id(admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
        person = cast("User | None", admin.get_object(request, object_id))
        if person is None:
            return cast(HttpResponse, admin._get_obj_does_not_exist_redirect(request, admin.opts, object_id))
        return act(admin, request, person)

    return of_id


class PersonalDataActions(StaffAdmin):
    """The buttons of a person's page."""

    actions_detail = ("show_address", "block_address", "export", "erase")

    def has_show_address_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Whoever may see addresses at all."""
        return request.user.has_perm("users.view_pii")

    def has_block_address_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Who finds people and blocks addresses."""
        return request.user.has_perm("users.add_suppression") and self.has_view_permission(request)

    def has_export_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Hand out all that is kept."""
        return request.user.has_perm("users.export_person")

    def has_erase_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Erase somebody; staff only by those who manage staff."""
        return request.user.has_perm("users.erase_person")

    @action(description=gettext_lazy("Show address"), permissions=["show_address"], icon="visibility")
    @of_person
    def show_address(self, request: HttpRequest, person: User) -> HttpResponse:
        """Unmask it for ten minutes, after a question: that is noted."""
        if request.method != "POST":
            return ask_first(
                request,
                self,
                title=_("Show the address?"),
                question=_("You see it for ten minutes. The audit log notes that you looked at it."),
                button=_("Show address"),
                back=self._page_of(person),
                facts=[_masked(person)],
                is_dangerous=False,
            )
        note(who=_acting(request), what="person.address_shown", about=person, address=_address(request))
        shown = {key: until for key, until in request.session.get(_SHOWN, {}).items() if until > time.time()}
        request.session[_SHOWN] = shown | {str(person.pk): time.time() + SHOWN_FOR}
        return redirect(self._page_of(person))

    @action(description=gettext_lazy("Block this address"), permissions=["block_address"], icon="block")
    @of_person
    def block_address(self, request: HttpRequest, person: User) -> HttpResponse:
        """Nothing is sent to it any more, with a reason."""
        form = ReasonForm(request.POST or None)
        if not form.is_valid():
            return ask_first(
                request,
                self,
                title=_("Block the address of {name}?").format(name=person),
                question=_("No mail goes there any more, not even of mandatory categories. Pushes still do."),
                button=_("Block the address"),
                back=self._page_of(person),
                form=form,
                facts=[_masked(person)],
            )
        try:
            block_address_of(
                person=person, who=_acting(request), why=form.cleaned_data["reason"], network_address=_address(request)
            )
        except AlreadyBlocked:
            messages.warning(request, _("It is blocked already."))
        except NotBlockable:
            messages.warning(request, _("There is no address to block, or it is the simulator's."))
        else:
            messages.success(request, _("The address is blocked. Whatever waits for it will not be sent."))
        return redirect(self._page_of(person))

    @action(description=gettext_lazy("Export data"), permissions=["export"], icon="download")
    @of_person
    def export(self, request: HttpRequest, person: User) -> HttpResponse:
        """Everything about them as a file."""
        if request.method != "POST":
            return ask_first(
                request,
                self,
                title=_("Export all data of {name}?").format(name=person),
                question=_("A JSON file with all that is kept about this person. The audit log notes it."),
                button=_("Download"),
                back=self._page_of(person),
                is_dangerous=False,
            )
        found = to_json(export_recipient(person, who=_acting(request), address=_address(request)))
        headers = {
            "Content-Disposition": f'attachment; filename="person-{person.pk}.json"',
            "Cache-Control": "no-store",
        }
        return HttpResponse(found, content_type="application/json", headers=headers)

    @action(description=gettext_lazy("Erase"), permissions=["erase"], icon="person_remove", is_dangerous=True)
    @of_person
    def erase(self, request: HttpRequest, person: User) -> HttpResponse:
        """Erase them for good, with a reason."""
        if person.is_staff and not request.user.has_perm("users.manage_staff"):
            messages.error(request, _("This is a colleague: only who manages staff may erase them."))
            return redirect(self._page_of(person))
        form = ReasonForm(request.POST or None)
        if not form.is_valid():
            return ask_first(
                request,
                self,
                title=_("Erase {name}?").format(name=person),
                question=_("Account, wishes, devices and the content of all notifications go for good."),
                button=_("Erase for good"),
                back=self._page_of(person),
                form=form,
                facts=[
                    _("What waits for this person is cancelled."),
                    _("Old notifications keep only the id."),
                    _("The audit log keeps who erased it, and why."),
                ],
            )
        erase_recipient(person.pk, who=_acting(request), why=form.cleaned_data["reason"], address=_address(request))
        messages.success(request, _("{name} was erased.").format(name=person.public_id))
        return redirect("admin:users_user_changelist")

    @staticmethod
    def is_shown(request: HttpRequest, person: User) -> bool:
        """Whether they asked for this address a moment ago."""
        until = request.session.get(_SHOWN, {}).get(str(person.pk), 0)
        return until > time.time() and request.user.has_perm("users.view_pii")

    @staticmethod
    def _page_of(person: User) -> str:
        return reverse("admin:users_user_change", args=[person.pk])


def _masked(person: User) -> str:
    return mask_email(person.email) if person.email else _("no e-mail address")


def _acting(request: HttpRequest) -> User:
    return cast(User, request.user)


def _address(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))
