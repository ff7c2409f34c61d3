"""Findings of serializers, as clients see them."""

from django.utils.translation import gettext_lazy
from rest_framework import exceptions as drf

from users.validation_findings import FIELD_CODES, findings, pointer


def test_codes_of_ours_pass_and_unknown_ones_are_invalid():
    error = drf.ValidationError(
        {"a": [drf.ErrorDetail("x", "too_deep"), drf.ErrorDetail("y", "made_up")], "b": gettext_lazy("z")}
    )

    assert [(found.pointer, found.code) for found in findings(error)] == [
        ("/a", "too_deep"),
        ("/a", "invalid"),
        ("/b", "invalid"),
    ]


def test_a_pointer_escapes_its_steps():
    assert pointer() == ""
    assert pointer("a/b", 0, "c~d") == "/a~1b/0/c~0d"


def test_the_field_codes_are_those_of_the_contract():
    contract = """required null blank invalid invalid_choice too_short too_long too_many too_deep out_of_range
        in_the_past not_unique unknown_field variable_missing variable_type syntax"""
    assert sorted(FIELD_CODES) == sorted(contract.split())
