import random

import pytest
from django.template.defaultfilters import floatformat
from django.utils.translation import override

from templates_app.safe_filters import checked_floatformat

NUMBERS = [0, -0.0, -0.001, 0.5, 2.5, -2.5, 999.995, 1157.9, -1234567.891, 10**14, 10**15, 1e-7, 3, True, -5, 10**30]
ARGUMENTS = [-1, 0, 1, 2, -2, "2", "2g", "-2g", "g", "u", "gu", "2u", "0g", "+2", "6g", "20g"]


@pytest.mark.parametrize("language", ["en", "de", "fr", "ar", "es", "hi", "de-ch", "hu", "pl"])
def test_amounts_are_written_as_django_writes_them(language):
    chance = random.Random(language)  # noqa: S311  the same numbers in every run
    with override(language):
        for number in [*NUMBERS, *(chance.uniform(-1e7, 1e7) for _ in range(5))]:
            for places in ARGUMENTS:
                assert checked_floatformat(number, places) == str(floatformat(number, places)), (number, places)
