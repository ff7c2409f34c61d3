"""“Did Ann get it?”: what a person was sent, what they decided, what blocked their address; newest first."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from gateway.explanation import TONES, Answer, answer
from gateway.models import Notification
from gateway.statuses import Status
from users.channels import Channel
from users.masking import mask_email
from users.models import Category, ConsentEvent, Suppression, User
from users.wish_words import by_in_words, change_in_words

#: Lines of a timeline; so many of each kind are read at most.
LINES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class LastMessage:
    """The latest notification of a person, as a sentence tells it."""

    notification: Notification
    answer: Answer
    #: “by e-mail to a••@example.com”.
    way: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a person's timeline."""

    at: datetime
    title: str
    sentence: str
    tone: str = ""
    #: Beside the title: the status, in a word.
    status: str = ""
    link: str = ""


@require_GET
def person_timeline(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """The tab with which a look at a person begins."""
    if not (request.user.has_perm("users.view_user") and request.user.has_perm("gateway.view_notification")):
        raise PermissionDenied
    person = get_object_or_404(User, pk=person_id)
    lines = sorted([*_messages(person), *_decisions(person), *_blocks(person)], key=attrgetter("at"), reverse=True)
    request.current_app = admin.site.name
    context = {
        **admin.site.each_context(request),
        "title": str(person),
        "person": person,
        "tab": "timeline",
        "lines": lines[:LINES],
        "all_messages": f"{reverse('admin:gateway_notification_changelist')}?q={person.pk}",
    }
    return TemplateResponse(request, "admin/users/user/timeline.html", context)


def last_message(person: User) -> LastMessage | None:
    """What was sent last, or was not, and why. One query."""
    latest = _newest_first(person).first()
    if latest is None:
        return None
    address = mask_email(person.email) if person.email else _("no address")
    is_mail = latest.channel == Channel.EMAIL
    way = _("by e-mail to {address}").format(address=address) if is_mail else _("by push")
    return LastMessage(notification=latest, answer=answer(latest), way=way)


def _newest_first(person: User) -> QuerySet[Notification]:
    return Notification.objects.filter(user=person.pk).select_related("template").order_by("-pk")


def _messages(person: User) -> Iterator[Line]:
    for each in _newest_first(person)[:LINES]:
        told = answer(each)
        yield Line(
            at=each.created_at,
            title=f"{each.template.name} · {Channel(each.channel).label}",
            sentence=" ".join((told.sentence, *(f"{marker}." for marker in told.markers))),
            tone=TONES.get(each.status, ""),
            status=str(Status(each.status).label),
            link=reverse("admin:gateway_notification_change", args=[each.pk]),
        )


def _decisions(person: User) -> Iterator[Line]:
    names = dict(Category.objects.values_list("code", "name"))
    for each in ConsentEvent.objects.filter(user=person).order_by("-id")[:LINES]:
        words = _("Changed by {who}.").format(who=by_in_words(each))
        yield Line(at=each.at, title=change_in_words(each, names), sentence=words)


def _blocks(person: User) -> Iterator[Line]:
    for each in Suppression.objects.of_address(person.email or "").order_by("-id")[:LINES]:
        link = reverse("admin:users_suppression_change", args=[each.pk])
        why = " · ".join(filter(None, (each.get_reason_display(), each.added_by, each.evidence)))
        yield Line(at=each.since, title=_("The address was blocked"), sentence=why, tone="warning", link=link)
        if each.lifted_at:
            why = " · ".join(filter(None, (each.lifted_by, each.lifted_why)))
            yield Line(at=each.lifted_at, title=_("The address is used again"), sentence=why, link=link)
