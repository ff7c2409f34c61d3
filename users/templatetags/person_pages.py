"""What the head of a person's pages shows."""

from contextlib import suppress

from django import template
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from users.devices import EXPIRED, INVALID, REPLACED, SWITCHED_OFF, UNREGISTERED
from users.models import Suppression, User

register = template.Library()


@register.simple_tag
def block_of(person: User) -> Suppression | None:
    """What blocks the person's e-mail address now. One query, none without an address."""
    return Suppression.objects.in_force().of_address(person.email).first() if person.email else None


@register.simple_tag
def timeline_of(person: User) -> str:
    """Where the timeline stands: further up the house, known by its name only. Empty where it is left out."""
    with suppress(NoReverseMatch):
        return reverse("person-timeline", args=[person.pk])
    return ""


@register.filter
def inactive_words(reason: str) -> str:
    """Why a device gets no pushes."""
    words = {
        REPLACED: _("The person registered newer ones."),
        UNREGISTERED: _("The app was removed."),
        EXPIRED: _("Nobody has heard of it for months."),
        SWITCHED_OFF: _("It was switched off."),
        INVALID: _("Its token can be none."),
    }
    return words.get(reason, reason)
