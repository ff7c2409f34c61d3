"""Rates as people write them."""

import pytest

from users.rates import DEFAULT_RATES, KEY_POLICIES, Rate, WrongRate, parse_rate, parse_rates


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("5/s", Rate(5, 1)),
        ("100/m", Rate(100, 60)),
        (" 10/5m ", Rate(10, 300)),
        ("1000/h", Rate(1000, 3600)),
        ("3/90s", Rate(3, 90)),
    ],
)
def test_a_rate_is_read_and_written_alike(text, rate):
    assert parse_rate(text) == rate
    assert parse_rate(str(rate)) == rate


def test_it_is_written_in_the_longest_unit():
    assert [str(each) for each in (Rate(5, 1), Rate(100, 60), Rate(10, 300), Rate(3, 90), Rate(9, 3600))] == [
        "5/s",
        "100/m",
        "10/5m",
        "3/90s",
        "9/h",
    ]


@pytest.mark.parametrize(
    "text", ["", "5", "5/", "/m", "5/d", "-5/m", "0/m", "5/0m", "2/2h", "5 /m", "1e3/m", "٥/m", "x"]
)
def test_anything_else_is_refused_with_what_was_read(text):
    with pytest.raises(WrongRate) as caught:
        parse_rate(text)
    assert repr(text) in str(caught.value)


def test_several_by_policy():
    assert parse_rates(" submit=5/m, read=2/s,", policies=KEY_POLICIES) == {"submit": Rate(5, 60), "read": Rate(2, 1)}
    assert parse_rates("", policies=KEY_POLICIES) == {}


@pytest.mark.parametrize("text", ["fly=5/m", "submit", "submit:5/m", "login=5/m"])
def test_an_unknown_policy_is_refused_and_the_known_are_named(text):
    with pytest.raises(WrongRate, match="submit, batch, read, manage"):
        parse_rates(text, policies=KEY_POLICIES)


def test_the_defaults_are_those_of_the_contract():
    assert {policy: str(rate) for policy, rate in DEFAULT_RATES.items()} == {
        "submit": "30000/m",
        "batch": "1200/m",
        "read": "30000/m",
        "manage": "600/m",
        "login": "30/m",
        "login_account": "10/5m",
        "register": "20/m",
        "open": "120/m",
    }
