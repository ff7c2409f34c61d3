"""What an e-mail address looks like: that of every day, and that with letters beyond ASCII before its @ (RFC 6531)."""

import unicodedata
from typing import Any

from django import forms
from django.core.validators import EmailValidator
from django.utils.deconstruct import deconstructible

#: Beyond ASCII: signs that nobody sees or that turn the writing, and spaces.
_UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs"})


@deconstructible
class AddressValidator(EmailValidator):
    """Django's, which refuses `jörg@example.com`. Whether such an address can be served is for its provider to say."""

    def __call__(self, value: Any) -> None:
        """Raises `ValidationError`."""
        local, at, domain = str(value or "").rpartition("@")
        if any(not sign.isascii() and unicodedata.category(sign) in _UNSEEN for sign in local):
            super().__call__(None)  # refused in Django's words
        super().__call__(f"{''.join(sign if sign.isascii() else 'x' for sign in local)}{at}{domain}")


#: Also takes addresses at this machine.
validate_address = AddressValidator()
#: What the API takes.
validate_public_address = AddressValidator(allowlist=[])


class AddressFormField(forms.EmailField):
    """The same in forms."""

    default_validators = [validate_address]
