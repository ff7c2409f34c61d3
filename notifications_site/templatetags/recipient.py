"""What pages of lower apps show of a person's messages."""

from django import template

from notifications_site.admin_pages.recipient import LastMessage, last_message
from users.models import User

register = template.Library()


@register.simple_tag
def last_message_to(person: User) -> LastMessage | None:
    """The latest notification, told."""
    return last_message(person)
