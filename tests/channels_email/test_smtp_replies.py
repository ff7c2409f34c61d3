"""What mail servers say, in the words of the best known of them, and what follows from it."""

import pytest

from channels_email.smtp_replies import BY_CODE, BY_STATUS, Stage, accepted, is_yes, refused
from gateway.channel_contract import Outcome
from gateway.reasons import REASONS


@pytest.mark.parametrize(
    ("stage", "code", "words", "outcome", "error_code", "reason"),
    [
        # mailboxes
        ("rcpt", 550, "5.1.1 <ann@example.com>: user unknown", "permanent", "mailbox_unknown", "mailbox_unknown"),
        ("rcpt", 550, "No such user here", "permanent", "mailbox_unknown", "mailbox_unknown"),
        ("rcpt", 550, "5.2.1 Account disabled", "permanent", "mailbox_disabled", "mailbox_unknown"),
        ("rcpt", 550, "5.4.1 Recipient rejected: Access denied", "permanent", "mailbox_unknown", "mailbox_unknown"),
        ("rcpt", 552, "5.2.2 Over quota", "permanent", "mailbox_full", "mailbox_full"),
        ("rcpt", 552, "Quota exceeded", "permanent", "mailbox_full", "mailbox_full"),
        ("rcpt", 452, "4.2.2 The email account is over quota", "transient", "mailbox_full", "mailbox_full"),
        ("rcpt", 556, "5.1.10 Null MX", "permanent", "domain_unknown", "mailbox_unknown"),
        ("rcpt", 553, "5.1.3 Bad address", "permanent", "address_refused", "mailbox_unknown"),
        ("rcpt", 551, "User not local", "permanent", "mailbox_unknown", "mailbox_unknown"),
        # later
        ("rcpt", 450, "4.2.0 Greylisted, see help", "transient", "mailbox_busy", "rejected"),
        ("rcpt", 450, "4.7.1 Greylisted", "transient", "greylisted", "rejected"),
        ("rcpt", 451, "Please try again in five minutes", "transient", "greylisted", "rejected"),
        ("dot", 451, "4.3.0 Error in processing", "transient", "server_trouble", "rejected"),
        ("dot", 452, "4.3.1 Insufficient system storage", "transient", "server_full", "rejected"),
        ("mail", 421, "4.3.2 Service shutting down", "transient", "server_closing", "rejected"),
        ("dot", 421, "4.7.28 Our system has detected an unusual rate", "throttled", "too_fast", "rejected"),
        # content
        ("dot", 554, "5.7.1 Message looks like spam", "permanent", "policy", "rejected_content"),
        ("dot", 554, "Transaction failed: spam", "permanent", "rejected_content", "rejected_content"),
        ("dot", 550, "Blocked", "permanent", "rejected_content", "rejected_content"),
        ("dot", 550, "5.7.26 Unauthenticated mail is not accepted", "permanent", "sender_not_proven", "rejected"),
        ("dot", 552, "5.3.4 Message size exceeds limit", "permanent", "too_large", "rejected"),
        ("mail", 552, "Message too large", "permanent", "too_large", "rejected"),
        # us
        ("mail", 530, "5.7.0 Authentication required", "misconfigured", "login_needed", "rejected"),
        ("mail", 530, "5.7.0 Must issue a STARTTLS command first", "misconfigured", "tls_needed", "rejected"),
        ("mail", 550, "5.7.1 Sender rejected", "misconfigured", "sender_refused", "rejected"),
        ("mail", 553, "5.1.8 Domain not found", "misconfigured", "sender_refused", "rejected"),
        ("auth", 535, "5.7.8 Bad credentials", "misconfigured", "login_refused", "rejected"),
        ("auth", 504, "5.5.4 Mechanism unknown", "misconfigured", "login_refused", "rejected"),
        ("auth", 454, "4.7.0 Temporary failure", "transient", "server_trouble", "rejected"),
        ("connect", 554, "5.7.1 Your network is blocked", "permanent", "refused", "rejected"),
        ("hello", 421, "4.3.2 Busy", "transient", "refused_for_now", "rejected"),
        ("auth", 534, "5.7.9 Mechanism too weak", "misconfigured", "login_refused", "rejected"),
        ("rcpt", 554, "5.7.1 <ann@example.com>: Relay access denied", "misconfigured", "relay_denied", "rejected"),
        ("rcpt", 550, "5.7.54 SMTP; Unable to relay recipient", "misconfigured", "relay_denied", "rejected"),
        ("rcpt", 550, "5.1.1 relay1.example.com said: unknown", "permanent", "mailbox_unknown", "mailbox_unknown"),
        ("rcpt", 550, "Relaying not permitted", "misconfigured", "relay_denied", "rejected"),
        # contradictions: the code decides
        ("rcpt", 450, "5.1.1 Soft bounce", "transient", "mailbox_busy", "rejected"),
        ("rcpt", 550, "4.2.2 Full", "permanent", "mailbox_unknown", "mailbox_unknown"),
        # what nobody has heard of
        ("rcpt", 499, "", "transient", "refused_for_now", "rejected"),
        ("dot", 599, "9.9.9 Hm", "permanent", "refused", "rejected"),
        ("rcpt", 450, "4.99.99 Odd", "transient", "mailbox_busy", "rejected"),
    ],
)  # fmt: skip
def test_a_refusal_is_understood(stage, code, words, outcome, error_code, reason):
    result = refused(Stage(stage), code, words)
    assert (result.outcome.value, result.error_code, result.reason) == (outcome, error_code, reason)


def test_the_servers_words_are_kept_without_addresses_and_codes():
    result = refused(Stage.RCPT, 550, "5.1.1 <ann.lee@example.com>: unknown\n5.1.1 see https://help.example.com")
    assert result.provider_code == "550 5.1.1"
    assert result.detail == (
        "There is no such mailbox. It said: <a••@example.com>: unknown see https://help.example.com"
    )


def test_a_server_without_words_leaves_ours():
    result = refused(Stage.RCPT, 550, "")
    assert (result.detail, result.provider_code) == ("There is no such mailbox.", "550")


@pytest.mark.parametrize(
    ("words", "queue_id"),
    [
        ("2.0.0 Ok: queued as 4XyZ12AbCd", "4XyZ12AbCd"),
        ("OK id=1rXyZ-0001Ab-2C", "1rXyZ-0001Ab-2C"),
        ("2.6.0 <x@y> Queued mail for delivery", ""),
        ("OK", ""),
    ],
)
def test_the_servers_name_for_a_mail_is_kept(words, queue_id):
    result = accepted(words)
    assert (result.outcome, result.provider_message_id) == (Outcome.ACCEPTED, queue_id)


def test_every_row_has_a_reason_of_the_catalogue_and_a_sentence():
    for meaning in [*BY_STATUS.values(), *BY_CODE.values()]:
        assert meaning.reason in REASONS
        assert meaning.sentence.endswith(".")
        assert meaning.error_code.isidentifier()


def test_no_row_contradicts_the_first_digit_of_its_code():
    rows = [
        (str(key[0] if isinstance(key, tuple) else key)[0], meaning) for key, meaning in (BY_STATUS | BY_CODE).items()
    ]
    for digit, meaning in rows:
        is_for_now = meaning.outcome in (Outcome.TRANSIENT, Outcome.THROTTLED)
        assert is_for_now is (digit == "4")


def test_only_the_second_hundred_says_yes():
    assert [code for code in (199, 200, 250, 299, 300, 354, 450, 550) if is_yes(code)] == [200, 250, 299]
