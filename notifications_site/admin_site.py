"""The frame of the admin pages: badge, sidebar."""

from django.conf import settings
from django.http import HttpRequest


def environment_badge(request: HttpRequest) -> list[str]:
    """Says at the top of every page whether mail leaves the house."""
    captured = settings.EMAIL_PROVIDERS == ["capture"] and settings.PUSH_PROVIDERS == ["capture"]
    match settings.ENVIRONMENT, captured:
        case "local", True:
            return ["Local · mail is captured", "info"]
        case "local", False:
            return ["Local · mail is sent", "danger"]
        case "staging", _:
            return ["Staging", "warning"]
        case _:
            return ["Production", "danger"]
