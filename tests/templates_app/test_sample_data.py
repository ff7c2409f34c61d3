"""Sample data fits the declaration, whatever set is chosen."""

import pytest

from templates_app.sample_data import ALWAYS, ARABIC_NAME, LONG_NAME, sample_values
from templates_app.variables import VariableType, check_values, parse_variables

VARIABLES = parse_variables(
    [
        {"name": "name", "required": True, "example": "Zebedee"},
        {"name": "note"},
        {"name": "lines", "type": "list", "fields": ["title", "price"]},
        {"name": "places", "type": "list", "example": [{"town": "Ulm", "visits": 3}, {"town": "Bonn", "visits": 1}]},
        *({"name": f"any_{kind}", "type": str(kind)} for kind in VariableType if kind != "list"),
    ]
)


@pytest.mark.parametrize("chosen", [*ALWAYS, "unknown"])
def test_every_set_has_a_fitting_value_for_every_variable(chosen):
    checked = check_values(VARIABLES, sample_values(chosen, VARIABLES))
    assert checked.findings == []
    assert set(checked.values) == {each.name for each in VARIABLES}


def test_sets_differ_where_it_matters():
    assert sample_values("examples", VARIABLES)["name"] == "Zebedee"
    assert sample_values("short", VARIABLES)["name"] == "Ann"
    assert sample_values("long", VARIABLES)["name"] == LONG_NAME
    assert len(sample_values("long", VARIABLES)["places"]) == 12
    assert sample_values("rtl", VARIABLES)["name"] == ARABIC_NAME
