"""Columns whose values lie encrypted in the database, bound to table and column. In Python they are what they were.

They cannot be searched: what must be found has a `BlindIndexField` beside it. What is empty is stored as it is.
"""

import json
from functools import cached_property
from typing import Any

import orjson
from django.core.exceptions import FieldError
from django.db import models
from django.db.models.lookups import Exact, IsNull, StartsWith

from users.encryption import blind_index, opened_bytes, seal_bytes
from users.mail_addresses import AddressFormField, validate_address


class EncryptedField(models.Field):  # type: ignore[type-arg]  # of what, say the classes below
    """What they all share. `as_bytes` and `from_bytes` turn a value into what is sealed, and back."""

    #: What is stored as an empty text.
    nothing: Any = ""

    def as_bytes(self, value: Any) -> bytes:
        """What is sealed for a value."""
        return str(value).encode()

    def from_bytes(self, plain: bytes) -> Any:
        """The value again."""
        return plain.decode()

    @cached_property
    def purpose(self) -> str:
        """What the values are bound to."""
        return f"{self.model._meta.db_table}.{self.column}"

    def get_internal_type(self) -> str:
        """Whatever the value is, its sealed form is a text."""
        return "TextField"

    def from_db_value(self, sealed: str | None, expression: object, connection: object) -> Any:
        """Raises `users.encryption.CannotOpen` rather than to pass over what it cannot read."""
        if not sealed:
            return sealed if sealed is None else self.nothing_new()
        return self.from_bytes(opened_bytes(sealed, purpose=self.purpose))

    def nothing_new(self) -> Any:
        """An empty value, nobody else's."""
        return type(self.nothing)()

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        """Sealed anew at every writing."""
        if value is None or hasattr(value, "as_sql"):
            return value
        return "" if value == self.nothing else seal_bytes(self.as_bytes(value), purpose=self.purpose)

    def get_lookup(self, lookup_name: str) -> Any:
        """No lookup can see what is sealed; of all that Django knows three make sense."""
        return _LOOKUPS.get(lookup_name)


class _OnlyNothing(Exact):
    """`filter(email=None)` becomes `IS NULL`; anything else would never be found."""

    def get_prep_lookup(self) -> Any:
        if self.rhs is not None:
            raise FieldError("An encrypted column cannot be searched; people are found by `User.objects.with_email`.")
        return super().get_prep_lookup()


class _SealedUnder(StartsWith):
    """`email__sealed_under="v2.k1."`: sealed texts that begin so."""

    lookup_name = "startswith"  # how the database is asked


_LOOKUPS = {"exact": _OnlyNothing, "isnull": IsNull, "sealed_under": _SealedUnder}


class EncryptedTextField(EncryptedField, models.TextField):  # type: ignore[type-arg]
    """A text."""


class EncryptedEmailField(EncryptedField, models.EmailField):  # type: ignore[type-arg]
    """One e-mail address."""

    default_validators = [validate_address]

    def formfield(self, **options: Any) -> Any:
        """One that takes the same."""
        return super().formfield(**({"form_class": AddressFormField} | options))


class EncryptedBytesField(EncryptedField):
    """Bytes, such as a whole mail."""

    nothing = b""

    def as_bytes(self, value: bytes | memoryview) -> bytes:
        """As they are."""
        return bytes(value)

    def from_bytes(self, plain: bytes) -> bytes:
        """As they are."""
        return plain


class EncryptedJSONField(EncryptedField):
    """A JSON object."""

    nothing = {}

    def as_bytes(self, value: dict[str, Any]) -> bytes:
        """Its JSON text."""
        try:
            return orjson.dumps(value)
        except orjson.JSONEncodeError:  # integers of more than 64 bits
            return json.dumps(value, ensure_ascii=False).encode()

    def from_bytes(self, plain: bytes) -> Any:
        """By the standard library, which gives back integers of any size."""
        return json.loads(plain)


class BlindIndexField(models.CharField):  # type: ignore[type-arg]
    """By what the rows with one value of an encrypted column are found; kept in step by whoever saves that column."""

    def __init__(self, *args: Any, of: str, **kwargs: Any) -> None:
        self.of = of
        super().__init__(*args, **{"max_length": 64, "null": True, "editable": False} | kwargs)

    def deconstruct(self) -> Any:
        """For migrations."""
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, kwargs | {"of": self.of}

    def pre_save(self, row: models.Model, add: bool) -> str | None:
        """The index of what the row holds now."""
        value = getattr(row, self.of)
        index = blind_index(value) if value else None
        setattr(row, self.attname, index)
        return index
