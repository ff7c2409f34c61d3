"""What a device's own service says of its token. Whoever can ask it is named in the setting DEVICE_CHECK."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, cast

from django.conf import settings
from django.utils.module_loading import import_string

from users.device_tokens import TokenRefused

REMEDY = "Ask the app for its current token, and register that."


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What is known of a token without sending anything."""

    result: Literal["valid", "invalid", "unknown"]
    detail: str


#: What the step above offers: asks without sending, in a few seconds at most; None where nobody can be asked.
DeviceCheck = Callable[[str, str, str], Checked | None]


def ask_service(*, provider: str, kind: str, token: str) -> Checked | None:
    """None when the service has no way to tell, or is not configured. Not inside a transaction: it calls somebody."""
    check = cast(DeviceCheck, import_string(settings.DEVICE_CHECK))
    return check(provider, kind, token)


def validate_token(*, provider: str, kind: str, token: str) -> Checked:
    """Before it is registered. Raises `TokenRefused` when its service says that it is none; a doubt is no refusal."""
    asked = ask_service(provider=provider, kind=kind, token=token)
    if asked is None:
        return Checked(result="unknown", detail="Its form is right; its service cannot be asked without sending.")
    if asked.result == "invalid":
        raise TokenRefused(("token",), f"{asked.detail} {REMEDY}")
    return asked
