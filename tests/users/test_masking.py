"""Masking: what the log and the admin may show of people and secrets."""

import pytest

from users.masking import HIDDEN, mask_email, mask_text, mask_token

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJl"
KEY = "ntf_live_" + "Ab3" * 13 + "wxyz"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("ann@example.com", "a••@example.com"),
        ("ünal@exämple.de", "ü••@exämple.de"),
        ('"odd@local"@example.com', '"••@example.com'),
        ("no address", HIDDEN),
        ("", HIDDEN),
    ],
)
def test_an_address_keeps_its_first_letter_and_its_domain(address, shown):
    assert mask_email(address) == shown


def test_a_long_token_is_known_by_its_last_four_characters():
    assert mask_token("abcdefghijklmnopqrstuvwxyz") == "••••wxyz"


def test_a_short_token_is_hidden_whole():
    assert mask_token("abcdefghijklmno") == "••••"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("To ann@example.com.", "To a••@example.com."),
        ("'ann@example.com','bob@example.org'", "'a••@example.com','b••@example.org'"),
        ("Ann <ann.b+tag@example.com>", "Ann <a••@example.com>"),
        ("bounces+ann=example.com@mail.example", "b••@mail.example"),
        ("Jose\u0301 jose\u0301@example.com", "Jose\u0301 j••@example.com"),
        ("/users/ann%40example.com/", "/users/a••%40example.com/"),
        ("ann%2Btag%40example.com", "a••%40example.com"),
        ("ann@[192.0.2.1]", "a••@[192.0.2.1]"),
        ("x" * 80 + "@example.com", "x••@example.com"),
        ("postgres://app:p@ss@db:5432/app", "postgres://••@db:5432/app"),
        ("https://example.com/a/b", "https://example.com/a/b"),
        (f"key {KEY} used", "key ntf_live_••••wxyz used"),
        ("ntf_test_short", "ntf_test_••••"),
        (f"Bearer {KEY}", "Bearer ntf_live_••••wxyz"),
        (f"token {JWT}!", "token ••••!"),
        ("Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic ••••"),
        ("Basic authentication failed", "Basic authentication failed"),
        ("@property x @ y", "@property x @ y"),
    ],
)
def test_free_text_is_masked_where_it_must_be_and_nowhere_else(text, shown):
    assert mask_text(text) == shown


def test_masking_twice_changes_nothing_more():
    once = mask_text(f"ann@example.com {KEY} {JWT} postgres://app:secret@db/app")

    assert mask_text(once) == once


@pytest.mark.parametrize("piece", ["a", "a@", "%4", "://", "eyJ.", "Bearer ", "ntf_live_", "a:"])
def test_no_text_makes_masking_slow(piece):
    # With a pattern that backtracks, these take minutes; a linear one needs a fraction of a second.
    mask_text(piece * 200_000)
