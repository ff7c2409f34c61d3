"""The document prints nothing but what the committed result says."""

import json

from tests.chaos import report
from tests.chaos.__main__ import DOCUMENT, RESULTS


def test_the_document_shows_the_committed_campaign():
    result, document = json.loads(RESULTS.read_text(encoding="utf-8")), DOCUMENT.read_text(encoding="utf-8")
    assert report.with_campaign(document, result) == document


def test_the_committed_campaign_is_sound():
    result = json.loads(RESULTS.read_text(encoding="utf-8"))
    assert report.is_sound(result["found"])
    assert result["found"]["acknowledged"] == result["profile"]["notifications"]
    assert result["stories"] == []


def test_a_campaign_with_any_fault_is_not_sound():
    found = json.loads(RESULTS.read_text(encoding="utf-8"))["found"]
    for fault in ("lost", "unsettled", "unexpected", "duplicates_under_hold", "other_faults"):
        assert not report.is_sound(found | {fault: 1})
    assert not report.is_sound(found | {"acknowledged": 0})
