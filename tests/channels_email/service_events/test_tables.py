"""What each service's own classes of bounces mean. Events in, meanings out."""

import pytest

from channels_email.service_events.meaning import code_in, reason_of
from channels_email.service_events.tables import meanings
from gateway.channel_contract import EventType

GONE, FULL, CONTENT, BOUNCED, REJECTED = "mailbox_unknown", "mailbox_full", "rejected_content", "bounced", "rejected"


def reasons(service, event, normalized="bounced"):
    return [
        each.reason if each.type is EventType.BOUNCED else each.type.value for each in told(service, event, normalized)
    ]


def told(service, event, normalized="bounced"):
    return meanings(service, normalized, event)


@pytest.mark.parametrize(
    ("words", "for_good", "for_now"),
    [
        ("550 5.1.1 no such user", GONE, BOUNCED),
        ("", GONE, BOUNCED),
        ("552-5.2.2 over quota", FULL, FULL),
        ("452 4.2.2 over quota", FULL, FULL),
        ("554 5.7.1 spam", CONTENT, CONTENT),
        ("server 10.5.7.1 said no", GONE, BOUNCED),
        ("250 2.1.5 ok?", GONE, BOUNCED),
        ("It said: 5.2.2.", FULL, FULL),
        ("553 5.1.8 sender address rejected", REJECTED, REJECTED),
        ("550 5.7.26 DMARC", REJECTED, REJECTED),
    ],
)
def test_a_status_code_says_when_it_is_not_the_mailbox(words, for_good, for_now):
    assert (reason_of(words, for_good=True), reason_of(words, for_good=False)) == (for_good, for_now)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("smtp; 550 5.1.1 <a@b>: no such user", "550 5.1.1"),
        ("550-5.1.1 no such user", "550 5.1.1"),
        ("5.1.1 no such user", "5.1.1"),
        ("host 10.5.7.1 said: 552 full.", "552"),
        ("host [5.1.1.9]:550 said no; id 45500", ""),
        ("", ""),
    ],
)
def test_the_code_of_the_server_is_found_in_its_words(words, code):
    assert code_in(words) == code


@pytest.mark.parametrize(
    ("event", "means"),
    [
        ({"event": "bounce", "type": "bounce", "status": "5.1.1"}, [GONE]),
        ({"event": "bounce", "status": "5.0.0", "bounce_classification": "Invalid Address"}, [GONE]),
        ({"event": "bounce", "type": "blocked", "bounce_classification": "Unclassified"}, [BOUNCED]),
        ({"event": "bounce", "type": "blocked", "bounce_classification": "Invalid Address"}, [BOUNCED]),
        ({"event": "bounce", "type": "blocked", "bounce_classification": "Content"}, [CONTENT]),
        ({"event": "bounce", "type": "bounce", "bounce_classification": "Reputation"}, [CONTENT]),
        ({"event": "bounce", "type": "bounce", "bounce_classification": "Technical"}, [BOUNCED]),
        ({"event": "bounce", "type": "bounce", "reason": "554 5.7.1 blocked as spam"}, [CONTENT]),
        ({"event": "dropped", "reason": "Bounced Address"}, [GONE]),
        ({"event": "dropped", "reason": "Invalid"}, [GONE]),
        ({"event": "dropped", "reason": "Spam Content"}, [CONTENT]),
        ({"event": "dropped", "reason": "Spam Reporting Address"}, [REJECTED]),
        ({"event": "dropped", "reason": "Recipient List over Package Quota"}, [REJECTED]),
        ({"event": "dropped", "reason": "Unsubscribed Address"}, [REJECTED, "unsubscribed"]),
        ({"event": "dropped"}, [REJECTED]),
    ],
)
def test_sendgrid(event, means):
    assert reasons("sendgrid", event) == means


@pytest.mark.parametrize(
    ("event", "means"),
    [
        ({"reason": "bounce", "delivery-status": {"code": 550, "message": "5.1.1 no such user"}}, [GONE]),
        ({"reason": "bounce", "delivery-status": {"code": 550, "bounce-type": "soft"}}, [BOUNCED]),
        ({"reason": "bounce", "delivery-status": {"code": 550, "enhanced-code": "5.2.2"}}, [FULL]),
        ({"reason": "generic", "delivery-status": {"code": 498, "message": "No MX"}}, [BOUNCED]),
        ({"reason": "old", "delivery-status": {"code": 602}}, [BOUNCED]),
        ({"reason": "espblock", "delivery-status": {"code": 550}}, [CONTENT]),
        ({"reason": "suppress-bounce", "delivery-status": {"code": 605}}, [GONE]),
        ({"reason": "suppress-complaint", "delivery-status": {"code": 607}}, [REJECTED]),
        ({"reason": "suppress-unsubscribe", "delivery-status": {"code": 606}}, [REJECTED, "unsubscribed"]),
        ({"reason": None, "delivery-status": None}, [BOUNCED]),
    ],
)
def test_mailgun(event, means):
    assert reasons("mailgun", {"event-data": {"event": "failed", "severity": "permanent"} | event}) == means


def test_mailguns_temporary_failures_and_refusals_are_as_anymail_calls_them():
    temporary = {"event-data": {"event": "failed", "severity": "temporary", "reason": "generic"}}
    assert reasons("mailgun", temporary, "deferred") == ["deferred"]
    assert reasons("mailgun", {"event-data": {"event": "rejected"}}, "rejected") == [REJECTED]


@pytest.mark.parametrize(
    ("kind", "normalized", "means"),
    [
        ("HardBounce", "bounced", [GONE]),
        ("SoftBounce", "bounced", [BOUNCED]),
        ("BadEmailAddress", "rejected", [GONE]),
        ("SpamNotification", "complained", [CONTENT]),
        ("VirusNotification", "bounced", [CONTENT]),
        ("Blocked", "rejected", [CONTENT]),
        ("DMARCPolicy", "rejected", [REJECTED]),
        ("ManuallyDeactivated", "rejected", [REJECTED]),
        ("SMTPApiError", "failed", [REJECTED]),
        ("Unknown", "unknown", [BOUNCED]),
        ("Transient", "deferred", ["deferred"]),
        ("DnsError", "deferred", ["deferred"]),
        ("AutoResponder", "autoresponded", []),
        ("Subscribe", "subscribed", []),
    ],
)
def test_postmark(kind, normalized, means):
    assert reasons("postmark", {"RecordType": "Bounce", "Type": kind}, normalized) == means


@pytest.mark.parametrize(
    ("origin", "reason", "means"),
    [
        ("Recipient", "ManualSuppression", ["unsubscribed"]),
        ("Recipient", "HardBounce", []),  # told as a bounce as well
        ("Recipient", "SpamComplaint", []),
        ("Customer", "ManualSuppression", []),
        ("Admin", "ManualSuppression", []),
    ],
)
def test_only_the_person_unsubscribes_at_postmark(origin, reason, means):
    event = {"RecordType": "SubscriptionChange", "Origin": origin, "SuppressionReason": reason}
    assert reasons("postmark", event, "unsubscribed") == means


@pytest.mark.parametrize(
    ("kind", "subtype", "status", "means"),
    [
        ("Permanent", "General", "5.1.1", [GONE]),
        ("Permanent", "NoEmail", "", [GONE]),
        ("Permanent", "General", "5.7.1", [CONTENT]),
        ("Permanent", "Suppressed", "", [GONE]),
        ("Permanent", "OnAccountSuppressionList", "", [GONE]),
        ("Permanent", "UnsubscribedRecipient", "", [REJECTED, "unsubscribed"]),
        ("Transient", "General", "", [BOUNCED]),
        ("Transient", "MailboxFull", "", [FULL]),
        ("Transient", "MessageTooLarge", "", [REJECTED]),
        ("Transient", "ContentRejected", "", [CONTENT]),
        ("Transient", "AttachmentRejected", "", [CONTENT]),
        ("Undetermined", "Undetermined", "", [BOUNCED]),
    ],
)
def test_amazon_ses(kind, subtype, status, means):
    bounced = {"bounceType": kind, "bounceSubType": subtype, "bouncedRecipients": [{"status": status}]}
    for name in ("eventType", "notificationType"):  # of a configuration set, of an identity
        assert reasons("amazon_ses", {name: "Bounce", "bounce": bounced}) == means


@pytest.mark.parametrize(
    ("event", "means"),
    [
        ({"eventType": "Reject", "reject": {"reason": "Bad content"}}, [CONTENT]),
        ({"eventType": "DeliveryDelay"}, ["deferred"]),
        ({"eventType": "Subscription", "subscription": {"newTopicPreferences": {"unsubscribeAll": False}}}, []),
        ({"eventType": "Rendering Failure"}, []),
        ({"eventType": "Send"}, []),
    ],
)
def test_other_news_of_amazon_ses(event, means):
    assert reasons("amazon_ses", event, "unknown") == means


@pytest.mark.parametrize(
    ("event", "means"),
    [
        ({"type": "email.suppressed"}, [GONE]),
        ({"type": "email.failed"}, [REJECTED]),
        ({"type": "email.scheduled"}, []),
        ({"type": "email.bounced", "data": {"bounce": {"type": "Permanent", "subType": "General"}}}, [GONE]),
        ({"type": "email.bounced", "data": {"bounce": {"type": "Undetermined", "subType": "Undetermined"}}}, [BOUNCED]),
        ({"type": "email.bounced", "data": {"bounce": {"message": "… sent a hard bounce message"}}}, [GONE]),
        ({"type": "email.bounced", "data": {"bounce": {"message": "… sent a general bounce message"}}}, [BOUNCED]),
        ({"type": "email.bounced", "data": None}, [BOUNCED]),
    ],
)
def test_resend(event, means):
    normalized = "bounced" if event["type"] == "email.bounced" else "unknown"
    assert reasons("resend", event, normalized) == means


@pytest.mark.parametrize(
    ("event", "normalized", "means"),
    [
        ({"event": "hard_bounce", "reason": " RecipientError: 550 5.5.0 mailbox unavailable"}, "bounced", [GONE]),
        ({"event": "hard_bounce", "reason": "554 5.7.1 spam"}, "bounced", [CONTENT]),
        ({"event": "soft_bounce", "reason": "undefined Unable to find MX"}, "bounced", [BOUNCED]),
        ({"event": "blocked"}, "rejected", [REJECTED]),
        ({"event": "error"}, "failed", [REJECTED]),
        ({"event": "invalid_email"}, "bounced", [GONE]),
        ({"event": "unsubscribed"}, "unknown", ["unsubscribed"]),
        ({"event": "unsubscribe"}, "unsubscribed", ["unsubscribed"]),
        ({"event": "request"}, "queued", []),
    ],
)
def test_brevo(event, normalized, means):
    assert reasons("brevo", event, normalized) == means


@pytest.mark.parametrize(
    ("event", "means"),
    [
        ({"event": "bounce", "hard_bounce": True, "error": "user unknown"}, [GONE]),
        ({"event": "bounce", "hard_bounce": False, "error": "user unknown"}, [BOUNCED]),
        ({"event": "bounce", "hard_bounce": True, "error": "", "comment": "554 5.7.1 spam"}, [CONTENT]),
        ({"event": "bounce", "hard_bounce": False, "error": "quota exceeded"}, [FULL]),
        ({"event": "bounce", "hard_bounce": False, "error": "content blocked"}, [CONTENT]),
        ({"event": "blocked", "error": "preblocked"}, [REJECTED]),
        ({"event": "blocked", "error": "something new"}, [REJECTED]),
        ({"event": "blocked", "error": "invalid domain"}, [GONE]),
    ],
)
def test_mailjet(event, means):
    assert reasons("mailjet", event) == means


@pytest.mark.parametrize(
    ("kind", "bounce_class", "words", "means"),
    [
        ("bounce", "10", "", [GONE]),
        ("bounce", "30", "", [GONE]),
        ("out_of_band", "22", "", [FULL]),
        ("bounce", "25", "", [REJECTED]),
        ("bounce", "51", "", [CONTENT]),
        ("bounce", "54", "", [REJECTED]),
        ("bounce", "1", "550 5.7.1 no", [CONTENT]),
        ("bounce", "20", "no answer", [BOUNCED]),
    ],
)
def test_sparkpost(kind, bounce_class, words, means):
    said = {"type": kind, "bounce_class": bounce_class, "raw_reason": words}
    assert reasons("sparkpost", {"msys": {"message_event": said}}) == means


def test_a_robots_answer_at_sparkpost_is_no_bounce():
    assert reasons("sparkpost", {"msys": {"x": {"type": "bounce", "bounce_class": "60"}}}, "autoresponded") == []


@pytest.mark.parametrize(
    ("event", "means"),
    [
        ({"event": "bounce", "bounce_category": "badmailbox"}, [GONE]),
        ({"event": "bounce", "bounce_category": "spam"}, [CONTENT]),
        ({"event": "bounce", "response": "552 5.2.2 full"}, [FULL]),
        ({"event": "bounce", "response": "bounced"}, [GONE]),
    ],
)
def test_mailtrap(event, means):
    assert reasons("mailtrap", event) == means
    assert reasons("mailtrap", {"event": "reject"}, "rejected") == [REJECTED]


@pytest.mark.parametrize(
    ("kind", "mail", "means"),
    [
        ("hard_bounce", {"bounce_description": "bad_mailbox"}, [GONE]),
        ("soft_bounce", {"bounce_description": "bad_mailbox"}, [BOUNCED]),
        ("soft_bounce", {"bounce_description": "mailbox_full"}, [FULL]),
        ("hard_bounce", {"bounce_description": "general", "diag": "smtp;554 5.7.1 spam"}, [CONTENT]),
        ("soft_bounce", {"bounce_description": "general"}, [BOUNCED]),
    ],
)
def test_mandrill(kind, mail, means):
    assert reasons("mandrill", {"event": kind, "msg": mail}) == means


@pytest.mark.parametrize(("normalized", "means"), [("bounced", [BOUNCED]), ("failed", [REJECTED]), ("inbound", [])])
def test_of_a_service_without_a_table_anymails_words_are_enough(normalized, means):
    assert reasons("another", {}, normalized) == means
