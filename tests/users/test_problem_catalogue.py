"""The codes clients program against."""

import re

import pytest

from users.problem_catalogue import PROBLEMS
from users.problems import Problem

CODES_OF_THE_CONTRACT = """
malformed_json validation_error idempotency_key_mismatch invalid_cursor invalid_signature invalid_host
not_authenticated invalid_api_key invalid_token token_expired token_reused invalid_credentials
insufficient_scope registration_closed csrf_failed not_found method_not_allowed not_acceptable
conflict not_cancellable not_resendable content_purged draft_exists version_not_draft code_locked
precondition_failed payload_too_large unsupported_media_type
idempotency_key_reused user_not_found template_not_found template_not_published template_archived
template_version_not_found channel_not_in_template variables_invalid template_error publish_blocked
category_locked callback_url_refused batch_rejected rate_limited backlog_full internal_error unavailable
"""


def test_the_catalogue_has_exactly_the_codes_of_the_contract():
    assert sorted(PROBLEMS) == sorted(CODES_OF_THE_CONTRACT.split())


@pytest.mark.parametrize("code", PROBLEMS)
def test_every_code_has_words(code):
    kind = PROBLEMS[code]

    assert re.fullmatch("[a-z_]+", code)
    assert 400 <= kind.status <= 503
    assert not str(kind.title).endswith(".")
    assert str(kind.meaning).endswith(".")
    assert str(kind.fix).endswith(".")


def test_a_problem_with_an_unknown_code_is_a_mistake_of_ours():
    with pytest.raises(KeyError):
        Problem("no_such_code")
