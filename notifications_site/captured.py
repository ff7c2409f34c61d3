"""Whether messages leave the machine, for the words on our pages."""

from gateway.provider_order import CAPTURE, everything_is_captured, provider_order
from users.channels import Channel


def is_captured() -> bool:
    """Whether nobody gets anything, but for browsers that subscribed at our own demo (web_push_demo.py)."""
    return everything_is_captured() or only_browsers_get_it()


def only_browsers_get_it() -> bool:
    """Whether pushes to browsers are sent, and everything else is captured."""
    mail, pushes = provider_order(Channel.EMAIL.value).names, provider_order(Channel.PUSH.value).names
    return mail == (CAPTURE,) and pushes == ("webpush", CAPTURE)
