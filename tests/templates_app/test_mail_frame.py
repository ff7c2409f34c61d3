"""A mail's HTML as devices in light and in dark show it."""

import pytest

from templates_app.mail_frame import in_scheme

BOTH = "@media (prefers-color-scheme: dark) {a} @media ( PREFERS-COLOR-SCHEME : light ) {b}"


@pytest.mark.parametrize(
    ("scheme", "shown"),
    [
        ("dark", "@media (min-width: 0) {a} @media (max-width: 0) {b}"),
        ("light", "@media (max-width: 0) {a} @media (min-width: 0) {b}"),
    ],
)
def test_the_chosen_scheme_holds_whatever_the_readers_device_prefers(scheme, shown):
    assert in_scheme(BOTH, scheme) == shown


def test_other_media_queries_stay_as_they_are():
    assert in_scheme("@media (max-width: 620px) {a}", "dark") == "@media (max-width: 620px) {a}"
