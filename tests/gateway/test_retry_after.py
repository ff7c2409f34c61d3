"""How long a service wants to be left alone, in the forms services and strangers say it."""

from datetime import timedelta

import pytest

from gateway.retry_after import LONGEST, retry_after


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("0", timedelta(0)),
        (" 120 ", timedelta(seconds=120)),
        ("9" * 30, LONGEST),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST),
        ("Fri, 01 Jan 1999 00:00:00 GMT", timedelta(0)),
        ("Fri, 01 Jan 1999 00:00:00", timedelta(0)),
    ],
)
def test_seconds_and_dates_are_read_and_no_wait_is_longer_than_a_year(value, wait):
    assert retry_after({"retry-AFTER": value}) == wait


@pytest.mark.parametrize(
    "value",
    [
        *("", "soon", "-5", "²", "1.5"),
        "Fri, 01 Jan 99999999999999 00:00:00 GMT",
        "Fri, 01 Jan 2100 00:00:00 +99999999999",
        "Fri, 99 Jan 2100 00:00:00 GMT",
        "(" * 500,
    ],
)
def test_what_says_nothing_we_know_is_not_there_and_raises_nothing(value):
    assert retry_after({"Retry-After": value}) is None


def test_without_the_header_there_is_no_wait():
    assert retry_after({"Content-Type": "text/plain"}) is None
