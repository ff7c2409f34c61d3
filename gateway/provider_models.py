"""What operators have set up about providers in the admin."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now


class ProviderSetting(models.Model):
    """One setting, such as a key or the order of a channel's providers; the environment's wins over it.

    Written by `provider_set_up.py`, read by `stored_settings.py`.
    """

    #: What this table's values are sealed for (users/key_rotation.py), each bound to its name.
    sealed_for_row: ClassVar[dict[str, str]] = {"value": "provider setting"}

    #: As the environment variable is called.
    name = models.CharField(max_length=60, primary_key=True)
    #: As one would write it there; encrypted, bound to the name.
    value = models.TextField(editable=False)
    changed_at = models.DateTimeField(db_default=Now())
    changed_by = models.CharField(max_length=200, blank=True)

    class Meta:
        default_permissions = ()
        permissions = [("set_up_providers", "Can set up providers: keys, addresses, order")]

    def __str__(self) -> str:
        return self.name
