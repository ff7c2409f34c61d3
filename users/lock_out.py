"""How django-axes knows an account whose sign-in to the admin failed, without keeping its address readable."""

from typing import Any

from django.http import HttpRequest

from users.encryption import blind_index
from users.masking import mask_email


def account_of(request: HttpRequest | None, credentials: dict[str, Any] | None) -> str | None:
    """AXES_USERNAME_CALLABLE: the masked address, and what tells it from others that look alike."""
    given = credentials or (request.POST if request else {})
    address = str(given.get("username") or "").strip().lower()
    return f"{mask_email(address)} {blind_index(address)[:12]}" if address else None
