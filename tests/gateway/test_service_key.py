"""Keys as settings give them."""

import pytest

from gateway.service_key import read_service_key


@pytest.mark.parametrize("text", ["", "SG.abc-DEF_123", "key with spaces"])
def test_a_key_is_kept_as_it_is(text):
    assert read_service_key(text) == text


@pytest.mark.parametrize("text", ["SG.abc\u200b", "SG.abc…", "SG.abc\nX-Other: 1", "SG.abc\x00"])
def test_what_no_header_can_hold_is_refused_and_not_repeated(text):
    with pytest.raises(ValueError, match="copy it anew") as refused:
        read_service_key(text)
    assert "SG" not in str(refused.value)
