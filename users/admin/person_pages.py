"""What a person wants and where they are reached, each on a tab of their page."""

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from users.admin_forms import QuietHoursForm
from users.devices import deactivate_device
from users.models import Category, Device, QuietHours, User
from users.preferences import CategoryLocked, Origin, UnknownCategory, Wishes, change_preferences, read_wishes
from users.quiet_hours_setting import clear_quiet_hours, set_quiet_hours
from users.staff_pages import ReasonForm, StaffAdmin, ask_first, who_acts
from users.wish_matrix import last_changes, matrix, wish_of_form
from users.wish_words import place_on_bar, silence_in_words, stretches

#: Devices shown of a person; more than this were registered by a mistake of an app.
MOST_DEVICES_SHOWN = 100


class _ChangedMeanwhile(Exception):
    """Somebody set a switch after the page was shown."""


class PersonPages(StaffAdmin):
    """The tabs. Whoever sees people sees them; whoever may change this person may change what is on them."""

    def get_urls(self) -> list[URLPattern]:
        """The tabs beside Django's own pages of a person."""
        pages: dict[str, tuple[str, Callable[..., HttpResponse]]] = {
            "preferences": ("preferences/", self.preferences_page),
            "quiet_hours": ("quiet_hours/", self.quiet_hours_page),
            "devices": ("devices/", self.devices_page),
            "deactivate_device": ("devices/<uuid:device_id>/deactivate/", self.deactivate_page),
        }
        ours = [
            path(
                f"<path:object_id>/{route}",
                self.admin_site.admin_view(require_http_methods(["GET", "POST"])(view)),
                name=f"users_user_{name}",
            )
            for name, (route, view) in pages.items()
        ]
        return [*ours, *super().get_urls()]

    def preferences_page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Every switch in one table; saving writes into the ledger what has changed by it."""
        person = self._shown(request, object_id)
        if request.method == "POST":
            self._save_switches(request, person)
            return redirect("admin:users_user_preferences", person.pk)
        wishes = read_wishes(person)
        rows = matrix(wishes, last_changes(person))
        return self._tab(request, person, "preferences", rows=rows, seen=_state(wishes))

    def quiet_hours_page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """When the person wants silence: in a sentence, on a bar of the day, and as a form."""
        person = self._shown(request, object_id)
        hours = QuietHours.objects.filter(user=person).first()
        form = QuietHoursForm(request.POST or None, instance=hours or QuietHours(user=person))
        if request.method == "POST":
            self._must_change(request, person)
            if "clear" in request.POST:
                clear_quiet_hours(user=person)
                self.log_change(request, person, "Took the quiet hours away")
                messages.success(request, _("There are no quiet hours any more."))
                return redirect("admin:users_user_quiet_hours", person.pk)
            if form.is_valid():
                set_quiet_hours(user=person, **form.cleaned_data)
                self.log_change(request, person, "Changed the quiet hours")
                messages.success(request, _("Saved. What waits for this person is decided again now."))
                return redirect("admin:users_user_quiet_hours", person.pk)
            hours = QuietHours.objects.filter(user=person).first()  # the form has written into the other
        return self._tab(request, person, "quiet_hours", form=form, hours=hours, **_silence(person, hours))

    def devices_page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Where pushes go, and where they no longer go and why."""
        person = self._shown(request, object_id)
        devices = Device.objects.filter(user=person).order_by("-is_active", "-id")[:MOST_DEVICES_SHOWN]
        may_deactivate = self._may_deactivate(request)
        return self._tab(request, person, "devices", devices=devices, may_deactivate=may_deactivate)

    def deactivate_page(self, request: HttpRequest, object_id: str, device_id: UUID) -> HttpResponse:
        """No push goes to this device any more, with a reason."""
        person = self._shown(request, object_id)
        if not self._may_deactivate(request):
            raise PermissionDenied
        back = reverse("admin:users_user_devices", args=[person.pk])
        device = Device.objects.filter(user=person, pk=device_id).select_related("user").first()
        if device is None:
            messages.warning(request, _("This person has no such device any more."))
            return redirect(back)
        form = ReasonForm(request.POST or None)
        if not form.is_valid():
            return ask_first(
                request,
                self,
                title=_("Switch off {device}?").format(device=device),
                question=_("No push goes there until its app registers it again."),
                button=_("Switch it off"),
                back=back,
                form=form,
                facts=[f"{device.get_platform_display()}, …{device.tail}", str(person)],
            )
        why, address = form.cleaned_data["reason"], request.META.get("REMOTE_ADDR") or ""
        if deactivate_device(device=device, who=cast(User, request.user), why=why, address=address):
            messages.success(request, _("{device} is switched off.").format(device=device))
        else:
            messages.warning(request, _("It was switched off already."))
        return redirect(back)

    def _save_switches(self, request: HttpRequest, person: User) -> None:
        """By the use case of everybody; refused where somebody was faster."""
        self._must_change(request, person)

        def check(present: Wishes) -> None:
            if _state(present) != request.POST.get("seen", ""):
                raise _ChangedMeanwhile

        wish = wish_of_form(request.POST, Category.objects.all())
        address = request.META.get("REMOTE_ADDR") or ""
        origin = Origin(by="staff", source="admin", who=who_acts(request), address=address)
        try:
            events = change_preferences(user=person, wish=wish, origin=origin, check=check)
        except _ChangedMeanwhile:
            words = _("Somebody changed these switches after you opened the page. Look again; nothing was saved.")
            messages.warning(request, words)
        except (CategoryLocked, UnknownCategory):
            messages.warning(request, _("The categories have changed meanwhile. Look again; nothing was saved."))
        else:
            messages.success(request, _("Saved.") if events else _("Nothing was changed."))

    def _shown(self, request: HttpRequest, object_id: str) -> User:
        """The person, for those who may look; others learn nothing."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        person = self.get_object(request, object_id)
        if person is None:
            raise Http404
        return cast(User, person)

    def _must_change(self, request: HttpRequest, person: User) -> None:
        if not self.has_change_permission(request, person):
            raise PermissionDenied

    @staticmethod
    def _may_deactivate(request: HttpRequest) -> bool:
        return request.user.has_perm("users.change_device")

    def _tab(self, request: HttpRequest, person: User, tab: str, **context: Any) -> TemplateResponse:
        request.current_app = self.admin_site.name
        frame = {
            **self.admin_site.each_context(request),
            "title": str(person),
            "person": person,
            "tab": tab,
            "may_change": self.has_change_permission(request, person),
        }
        return TemplateResponse(request, f"admin/users/user/{tab}.html", frame | context)


def _state(wishes: Wishes) -> str:
    """Tells whether a switch was set since: the moment of the last change."""
    return wishes.changed_at.isoformat() if wishes.changed_at else ""


def _silence(person: User, hours: QuietHours | None) -> dict[str, Any]:
    """What the page says beside the form."""
    now = timezone.now()
    zone = (hours.timezone if hours else "") or person.timezone
    return {
        "sentence": silence_in_words(hours, name=str(person), zone=person.timezone, now=now),
        "zone": zone,
        "stretches": stretches(hours.start, hours.end) if hours and hours.is_enabled else [],
        "present": place_on_bar(now, zone),
        "ignoring": Category.objects.filter(ignores_quiet_hours=True).order_by("name"),
    }
