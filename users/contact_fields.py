"""Fields of requests that say who a person is and how they are reached (section 8 of the API document)."""

from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError as Refused
from rest_framework import serializers

from users.locales import is_locale, normalise_locale
from users.mail_addresses import validate_public_address
from users.models import EXTERNAL_ID, User, validate_timezone
from users.querysets import normalise_email
from users.strict_serializers import PlainText

#: What some mail servers read as a route through themselves, and the beginning of an address literal or a quoted name.
REFUSED_IN_ADDRESSES = frozenset('%![]"<>,;:()\\ ')
SHORTEST_PASSWORD, LONGEST_PASSWORD = 10, 128


class AddressField(PlainText):
    """One e-mail address, its domain in small letters."""

    default_error_messages = {"invalid": "Use one e-mail address such as ann@example.com, without a name around it."}

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=254, **options)

    def to_internal_value(self, data: Any) -> str:
        """As we store it."""
        text = super().to_internal_value(data)
        try:
            validate_public_address(text)
        except Refused:
            self.fail("invalid")
        if REFUSED_IN_ADDRESSES & set(text) or text.lower().endswith(("@localhost", ".localhost")):
            self.fail("invalid")
        return normalise_email(text) or ""


class LocaleField(PlainText):
    """A language tag, in its usual letters."""

    default_error_messages = {"invalid": "Use a language tag such as de or pt-BR."}

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=35, **options)

    def to_internal_value(self, data: Any) -> str:
        """As we store it."""
        text = super().to_internal_value(data)
        if not is_locale(text):
            self.fail("invalid")
        return normalise_locale(text)


class TimezoneField(PlainText):
    """An IANA time zone."""

    default_error_messages = {"invalid": "Use the name of a time zone such as Europe/Vienna."}

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=64, **options)

    def to_internal_value(self, data: Any) -> str:
        """The name itself."""
        text = super().to_internal_value(data)
        try:
            validate_timezone(text)
        except Refused:
            self.fail("invalid")
        return text


class ExternalIdField(PlainText):
    """What a client calls a person."""

    default_error_messages = {"invalid": EXTERNAL_ID.message}

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=128, **options)

    def to_internal_value(self, data: Any) -> str:
        """The id itself."""
        text = super().to_internal_value(data)
        try:
            EXTERNAL_ID(text)
        except Refused:
            self.fail("invalid")
        return text


class NewPasswordField(PlainText):
    """A password somebody chooses; whether it fits the person is looked at by `password_problems`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_length=SHORTEST_PASSWORD, max_length=LONGEST_PASSWORD, **options)


def password_problems(password: str, *, person: User) -> list[serializers.ErrorDetail]:
    """Why it must not be chosen: it is common, or like the person's own data."""
    try:
        validate_password(password, person)
    except Refused as error:
        return [serializers.ErrorDetail(each, code="invalid") for each in error.messages]
    return []
