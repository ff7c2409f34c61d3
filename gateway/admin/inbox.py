"""The frame of both inboxes of captured messages: list left, message right. On a phone they are two pages."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from users.channels import Channel
from users.staff_pages import ReadOnlyAdmin, action, ask_first


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox:
    """Where a channel's captured messages stand."""

    title: str | Promise
    icon: str
    app: str
    model: str

    @property
    def address_name(self) -> str:
        """Of its list; known where the channel is installed."""
        return f"admin:{self.app}_{self.model}_changelist"

    @property
    def permission(self) -> str:
        """Of those who may look at it."""
        return f"{self.app}.view_{self.model}"


INBOXES = {
    Channel.EMAIL: Inbox(title=gettext_lazy("E-mails"), icon="mail", app="channels_email", model="capturedemail"),
    Channel.PUSH: Inbox(title=gettext_lazy("Pushes"), icon="phone_iphone", app="channels_push", model="capturedpush"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxWords:
    """How an inbox speaks of its messages."""

    title: str | Promise
    #: What the search looks at.
    search_hint: str | Promise
    #: None of a notification's messages is there.
    none_of_notification: str | Promise
    delete_title: str | Promise
    delete_button: str | Promise
    #: So many were deleted.
    deleted: Callable[[int], str]


class InboxAdmin(ReadOnlyAdmin):
    """What a capture provider kept instead of sending it."""

    actions_list = ("delete_all",)
    words: ClassVar[InboxWords]

    def empty(self) -> int:
        """Delete every captured message; returns how many."""
        raise NotImplementedError

    def page(self, request: HttpRequest, *, search: str, older_than: UUID | None, opened: Any) -> dict[str, Any]:
        """What the template shows: `rows`, the message `shown`, `older` where there is more, and the channel's own."""
        raise NotImplementedError

    def has_delete_all_permission(self, request: HttpRequest) -> bool:
        """Empty the inbox."""
        return request.user.has_perm(f"{self.opts.app_label}.delete_{self.opts.model_name}")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, and beside it the newest message; `?notification=` leads to the one of that notification."""
        if notification := request.GET.get("notification"):
            return self._of_notification(request, notification)
        return self._inbox(request, opened=None)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One message, and beside it the list."""
        message = self.model._default_manager.filter(pk__in=identifiers(object_id)).first()
        if message is None:
            messages.warning(request, _("This message is not in the inbox any more."))
            return redirect(self._address("changelist"))
        return self._inbox(request, opened=message)

    @action(description=gettext_lazy("Delete all"), permissions=["delete_all"], icon="delete", is_dangerous=True)
    def delete_all(self, request: HttpRequest) -> HttpResponse:
        """Empty the inbox, after a question."""
        back = reverse(self._address("changelist"))
        if request.method != "POST":
            return ask_first(
                request,
                self,
                title=str(self.words.delete_title),
                question=_("They are gone for good. The notifications and their timelines stay."),
                button=str(self.words.delete_button),
                back=back,
            )
        messages.success(request, self.words.deleted(self.empty()))
        return redirect(back)

    def check_may_view(self, request: HttpRequest) -> None:
        """Raises PermissionDenied."""
        if not self.has_view_permission(request):
            raise PermissionDenied

    def _address(self, page: str) -> str:
        return f"admin:{self.opts.app_label}_{self.opts.model_name}_{page}"

    def _inboxes(self, request: HttpRequest) -> list[dict[str, Any]]:
        """This one, and the others that the person may see."""
        ours = (self.opts.app_label, self.opts.model_name)
        return [
            {
                "address_name": each.address_name,
                "icon": each.icon,
                "title": each.title,
                "is_current": (each.app, each.model) == ours,
            }
            for each in INBOXES.values()
            if (each.app, each.model) == ours or request.user.has_perm(each.permission)
        ]

    def _of_notification(self, request: HttpRequest, notification: str) -> HttpResponse:
        self.check_may_view(request)
        found = self.model._default_manager.filter(notification__in=identifiers(notification)).only("pk").first()
        if found is not None:
            return redirect(self._address("change"), found.pk)
        messages.warning(request, str(self.words.none_of_notification))
        return redirect(self._address("changelist"))

    def _inbox(self, request: HttpRequest, *, opened: Model | None) -> HttpResponse:
        self.check_may_view(request)
        search = request.GET.get("q", "").strip()
        before = identifiers(request.GET.get("before", ""))
        context = {
            **self.admin_site.each_context(request),
            "title": self.words.title,
            "inboxes": self._inboxes(request),
            "list_url": reverse(self._address("changelist")),
            "delete_url": reverse(self._address("delete_all")),
            "change_name": self._address("change"),
            "search_hint": self.words.search_hint,
            "search": search,
            "is_opened": opened is not None,
            "may_delete_all": self.has_delete_all_permission(request),
            **self.page(request, search=search, older_than=before[0] if before else None, opened=opened),
        }
        request.current_app = self.admin_site.name
        template = f"admin/{self.opts.app_label}/{self.opts.model_name}/inbox.html"
        return TemplateResponse(request, template, context)


def identifiers(text: str) -> list[UUID]:
    """The id in an address; none when it is no id."""
    with suppress(ValueError):
        return [UUID(text)]
    return []
