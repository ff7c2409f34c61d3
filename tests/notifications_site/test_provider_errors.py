"""The page of providers' errors: every provider is on it, and every row says something."""

import pytest

from channels_email.channel import PROVIDERS as MAIL_PROVIDERS
from channels_push.channel import PROVIDERS as PUSH_PROVIDERS
from notifications_site.provider_errors import HEAD, provider_error_lines

LINES = provider_error_lines()


@pytest.mark.parametrize("name", sorted((MAIL_PROVIDERS.keys() | PUSH_PROVIDERS.keys()) - {"capture"}))
def test_every_provider_has_a_section(name):
    assert any(line.startswith("## ") and f"`{name}`" in line for line in LINES)


def test_every_row_has_all_its_cells():
    rows = [line for line in LINES if line.startswith("|") and line.count("|") > 3 and line not in HEAD]
    assert len(rows) > 150
    for row in rows:
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert len(cells) == 6, row
        assert all(cells), row


def test_an_error_is_found_by_the_providers_own_code():
    (row,) = [line for line in LINES if line.startswith("| 422 406 ")]
    assert "`address_suppressed`" in row
    assert any(line.startswith("| 403: “verified sender identity” | `misconfigured`") for line in LINES)
