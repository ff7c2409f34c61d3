"""What mail services post, in the forms their documentation shows; posted to our routes, signed as they sign it.

`KINDS` are the endings every service knows; `post_of` makes the body of one, `tell` posts it.
"""

import base64
import hashlib
import hmac
import json
import time
import uuid
from urllib.parse import quote_plus

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

SECRET = "mail-services:s3cret"
BASIC = "Basic " + base64.b64encode(SECRET.encode()).decode()
SERVICES = (
    *("amazon_ses", "brevo", "mailgun", "mailjet", "mailtrap", "mandrill", "postmark", "resend", "sendgrid"),
    "sparkpost",
)
KINDS = ("delivered", "deferred", "hard_bounce", "soft_bounce", "complained", "dropped", "opened", "clicked")
SENDGRID_PRIVATE = ec.generate_private_key(ec.SECP256R1())
SENDGRID_KEY = base64.b64encode(
    SENDGRID_PRIVATE.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
).decode()
MAILGUN_KEY = "key-of-mailgun"
MAILTRAP_SECRET = "secret-of-mailtrap"
RESEND_SECRET = "whsec_" + base64.b64encode(b"secret of the webhook at Resend").decode()
#: The service, the setting with its key, the key.
SIGNING = {
    "mailgun": ("MAILGUN_WEBHOOK_SIGNING_KEY", MAILGUN_KEY),
    "mailtrap": ("MAILTRAP_TRACKING_SECRET", MAILTRAP_SECRET),
    "resend": ("RESEND_SIGNING_SECRET", RESEND_SECRET),
    "sendgrid": ("SENDGRID_WEBHOOK_PUBLIC_KEY", SENDGRID_KEY),
}
CONTENT_TYPES = {"amazon_ses": "text/plain; charset=UTF-8", "mandrill": "application/x-www-form-urlencoded"}
TO = "ann@example.com"
TOLD_AT = 1_795_342_504  # seconds since 1970
#: What servers say of a mailbox that is not there, and of one that is full.
NO_SUCH, FULL = "550 5.1.1 <ann@example.com>: no such user", "452 4.2.2 The mailbox is over quota"


def route(service):
    return f"/webhooks/email/{service}/tracking/"


def tell(client, service, body, *, secret=SECRET, signed=True, at=None, **headers):
    """Post `body` as the service would; `secret` None leaves the credentials out."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    if service == "mandrill":
        raw = b"mandrill_events=" + quote_plus(raw).encode()
    sent = {"Authorization": "Basic " + base64.b64encode(secret.encode()).decode()} if secret else {}
    if service == "amazon_ses" and isinstance(body, dict):
        sent |= {"x-amz-sns-message-type": body.get("Type", ""), "x-amz-sns-message-id": body.get("MessageId", "")}
    if signed:
        sent |= signature(service, raw, at=at)
    content_type = CONTENT_TYPES.get(service, "application/json")
    return client.generic("POST", route(service), raw, content_type=content_type, headers=sent | headers)


def signature(service, raw, *, at=None):
    """The headers with which the service signs; Mailgun signs in the body."""
    stamp = str(int(at or time.time()))
    if service == "sendgrid":
        proof = SENDGRID_PRIVATE.sign(stamp.encode() + raw, ec.ECDSA(hashes.SHA256()))
        return {
            "X-Twilio-Email-Event-Webhook-Timestamp": stamp,
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(proof).decode(),
        }
    if service == "mailtrap":
        return {"Mailtrap-Signature": hmac.new(MAILTRAP_SECRET.encode(), raw, hashlib.sha256).hexdigest()}
    if service == "resend":
        name = f"msg_{hashlib.sha256(raw).hexdigest()[:20]}"
        secret = base64.b64decode(RESEND_SECRET.removeprefix("whsec_"))
        proof = hmac.new(secret, f"{name}.{stamp}.".encode() + raw, hashlib.sha256).digest()
        given = f"v1,{base64.b64encode(proof).decode()}"
        return {"svix-id": name, "svix-timestamp": stamp, "svix-signature": given}
    return {}


def post_of(service, kind, notification, **more):
    """The body that tells of one event; `more` goes into the event itself."""
    return MAKERS[service](kind, str(getattr(notification, "pk", notification)), **more)


# --- twilio.com/docs/sendgrid/for-developers/tracking-events/event ----------------------------------------------------
_SENDGRID = {
    "delivered": {"event": "delivered", "response": "250 OK"},
    "deferred": {"event": "deferred", "response": "400 try again later", "attempt": "5"},
    "hard_bounce": {
        "event": "bounce",
        "type": "bounce",
        "status": "5.1.1",
        "reason": NO_SUCH,
        "bounce_classification": "Invalid Address",
    },
    "soft_bounce": {
        "event": "bounce",
        "type": "blocked",
        "status": "4.2.2",
        "reason": FULL,
        "bounce_classification": "Mailbox Unavailable",
    },
    "complained": {"event": "spamreport"},
    "dropped": {"event": "dropped", "reason": "Bounced Address", "status": "5.0.0"},
    "opened": {"event": "open", "useragent": "Mozilla/5.0", "ip": "255.255.255.255"},
    "clicked": {"event": "click", "url": "https://example.com/?token=1", "useragent": "Mozilla/5.0"},
    "unsubscribed": {"event": "unsubscribe"},
}


def sendgrid_event(kind, notification_id, **more):
    return {
        "email": TO,
        "timestamp": TOLD_AT,
        "smtp-id": f"<n-{notification_id}@example.com>",
        "category": ["welcome"],
        "sg_event_id": f"event-{kind}",
        "sg_message_id": "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0",
        "anymail_id": str(uuid.uuid4()),
        "notification_id": notification_id,
        **_SENDGRID[kind],
        **more,
    }


def _sendgrid(kind, notification_id, **more):
    return [sendgrid_event(kind, notification_id, **more)]


# --- documentation.mailgun.com/docs/mailgun/user-manual/tracking-messages ---------------------------------------------
def _server(code, message, **more):
    return {"delivery-status": {"code": code, "message": message, "attempt-no": 1, "mx-host": "mx.example.com", **more}}


_MAILGUN = {
    "delivered": {"event": "delivered", **_server(250, "OK")},
    "deferred": {"event": "failed", "severity": "temporary", "reason": "generic", **_server(452, "4.2.2 later")},
    "hard_bounce": {"event": "failed", "severity": "permanent", "reason": "bounce", **_server(550, NO_SUCH[4:])},
    "soft_bounce": {"event": "failed", "severity": "permanent", "reason": "generic", **_server(452, FULL[4:])},
    "complained": {"event": "complained"},
    "dropped": {
        "event": "failed",
        "severity": "permanent",
        "reason": "suppress-bounce",
        **_server(605, "", description="Not delivering to previously bounced address"),
    },
    "opened": {"event": "opened", "client-info": {"user-agent": "Mozilla/5.0"}},
    "clicked": {"event": "clicked", "url": "https://example.com/?token=1"},
    "unsubscribed": {"event": "unsubscribed"},
}


def _mailgun(kind, notification_id, *, key=MAILGUN_KEY, at=None, token="a" * 50, **more):
    stamp = str(int(at or time.time()))
    proof = hmac.new(key.encode(), f"{stamp}{token}".encode(), hashlib.sha256).hexdigest()
    return {
        "signature": {"timestamp": stamp, "token": token, "signature": proof},
        "event-data": {
            "id": f"event-{kind}",
            "timestamp": TOLD_AT + 0.25,
            "recipient": TO,
            "user-variables": {"notification_id": notification_id},
            "message": {"headers": {"to": TO, "message-id": f"n-{notification_id}@example.com", "from": "we@x.org"}},
            "tags": [],
            **_MAILGUN[kind],
            **more,
        },
    }


# --- postmarkapp.com/developer/webhooks -------------------------------------------------------------------------------
def _bounce(kind, code, details):
    return {"RecordType": "Bounce", "Type": kind, "TypeCode": code, "ID": 42, "Details": details, "Email": TO}


_POSTMARK = {
    "delivered": {"RecordType": "Delivery", "DeliveredAt": "2026-11-22T10:15:04.1234567-05:00", "Details": "250 OK"},
    "deferred": _bounce("Transient", 2, "451 4.3.0 try again"),
    "hard_bounce": _bounce("HardBounce", 1, NO_SUCH),
    "soft_bounce": _bounce("SoftBounce", 4096, FULL),
    "complained": {"RecordType": "SpamComplaint", "Type": "SpamComplaint", "TypeCode": 100001, "ID": 42, "Email": TO},
    "dropped": _bounce("BadEmailAddress", 100000, "The address is not valid."),
    "opened": {"RecordType": "Open", "ReceivedAt": "2026-11-22T15:15:04Z", "UserAgent": "Mozilla/5.0"},
    "clicked": {
        "RecordType": "Click",
        "ReceivedAt": "2026-11-22T15:15:04Z",
        "OriginalLink": "https://example.com/?t=1",
    },
    "unsubscribed": {
        "RecordType": "SubscriptionChange",
        "SuppressSending": True,
        "SuppressionReason": "ManualSuppression",
        "Origin": "Recipient",
        "ChangedAt": "2026-11-22T15:15:04Z",
    },
}


def _postmark(kind, notification_id, **more):
    return {
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
        "Recipient": TO,
        "BouncedAt": "2026-11-22T15:15:04Z",
        "Metadata": {"notification_id": notification_id},
        "Tag": "welcome",
        **_POSTMARK[kind],
        **more,
    }


# --- docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-examples.html ----------------------------------
def _ses_bounce(kind, subtype, status, words):
    bounced = [{"emailAddress": TO, "action": "failed", "status": status, "diagnosticCode": words}]
    return {"bounceType": kind, "bounceSubType": subtype, "bouncedRecipients": bounced, "feedbackId": "1"}


_SES = {
    "delivered": ("Delivery", {"recipients": [TO], "smtpResponse": "250 2.6.0 Message received"}),
    "deferred": ("DeliveryDelay", {"delayType": "TransientCommunicationFailure"}),
    "hard_bounce": ("Bounce", _ses_bounce("Permanent", "NoEmail", "5.1.1", f"smtp; {NO_SUCH}")),
    "soft_bounce": ("Bounce", _ses_bounce("Transient", "MailboxFull", "4.2.2", f"smtp; {FULL}")),
    "complained": ("Complaint", {"complainedRecipients": [{"emailAddress": TO}], "complaintFeedbackType": "abuse"}),
    "dropped": ("Bounce", _ses_bounce("Permanent", "OnAccountSuppressionList", "5.1.1", "suppressed")),
    "opened": ("Open", {"userAgent": "Mozilla/5.0"}),
    "clicked": ("Click", {"link": "https://example.com/?token=1"}),
    "unsubscribed": ("Subscription", {"newTopicPreferences": {"unsubscribeAll": True, "topicSubscriptionStatus": []}}),
}


def _amazon_ses(kind, notification_id, **more):
    name, said = _SES[kind]
    mail = {
        "messageId": "EXAMPLE7c191be45-e9aedb9a-02f9-4d12-a87d-dd0099a07f8a-000000",
        "destination": [TO],
        "headers": [{"name": "X-Metadata", "value": json.dumps({"notification_id": notification_id})}],
    }
    part = name[0].lower() + name[1:]
    return sns({"eventType": name, "mail": mail, part: said | more}, message_id=f"event-{kind}")


def sns(message, *, message_id="event-1", **more):
    """What Amazon SNS puts around it."""
    return {
        "Type": "Notification",
        "MessageId": message_id,
        "TopicArn": "arn:aws:sns:us-east-1:123456789012:ses-events",
        "Message": json.dumps(message),
        "Timestamp": "2026-11-22T15:15:04.123Z",
        "SignatureVersion": "1",
        **more,
    }


# --- resend.com/docs/webhooks/event-types -----------------------------------------------------------------------------
def _resend_bounce(kind, subtype, message):
    return {"bounce": {"type": kind, "subType": subtype, "message": message}}


_RESEND = {
    "delivered": ("email.delivered", {}),
    "deferred": ("email.delivery_delayed", {}),
    "hard_bounce": ("email.bounced", _resend_bounce("Permanent", "General", "The server sent a hard bounce message.")),
    "soft_bounce": ("email.bounced", _resend_bounce("Transient", "MailboxFull", "The recipient's inbox was full.")),
    "complained": ("email.complained", {}),
    "dropped": ("email.bounced", _resend_bounce("Permanent", "Suppressed", "Resend has suppressed sending to it.")),
    "opened": ("email.opened", {}),
    "clicked": ("email.clicked", {"click": {"link": "https://example.com/?token=1", "userAgent": "Mozilla/5.0"}}),
}


def _resend(kind, notification_id, **more):
    name, said = _RESEND[kind]
    return {
        "type": name,
        "created_at": "2026-11-22T15:15:04.736Z",
        "data": {
            "created_at": "2026-11-22T15:15:00.000Z",
            "email_id": "56761188-7520-42d8-8898-ff6fc54ce618",
            "from": "Acme <we@example.com>",
            "to": [TO],
            "headers": [{"name": "X-Metadata", "value": json.dumps({"notification_id": notification_id})}],
            **said,
            **more,
        },
    }


# --- developers.brevo.com/docs/transactional-webhooks -----------------------------------------------------------------
_BREVO = {
    "delivered": {"event": "delivered"},
    "deferred": {"event": "deferred", "reason": "451 4.3.0 try again"},
    "hard_bounce": {"event": "hard_bounce", "reason": NO_SUCH},
    "soft_bounce": {"event": "soft_bounce", "reason": FULL},
    "complained": {"event": "spam"},
    "dropped": {"event": "invalid_email", "reason": "not a valid address"},
    "opened": {"event": "unique_opened"},
    "clicked": {"event": "click", "link": "https://example.com/?token=1"},
    "unsubscribed": {"event": "unsubscribed"},
}


def _brevo(kind, notification_id, **more):
    return {
        "email": TO,
        "id": 9999999,  # of the webhook, not of the event
        "message-id": "<201803062010.27287306012@smtp-relay.mailin.fr>",
        "ts_epoch": TOLD_AT * 1000,
        "X-Mailin-custom": json.dumps({"notification_id": notification_id}),
        **_BREVO[kind],
        **more,
    }


# --- dev.mailjet.com/email/guides/webhooks ----------------------------------------------------------------------------
_MAILJET = {
    "delivered": {"event": "sent", "smtp_reply": "sent (250 2.0.0 OK)"},
    "deferred": {"event": "bounce", "error": "greylisted", "hard_bounce": False},
    "hard_bounce": {"event": "bounce", "hard_bounce": True, "error": "user unknown", "comment": NO_SUCH},
    "soft_bounce": {"event": "bounce", "hard_bounce": False, "error": "quota exceeded", "comment": FULL},
    "complained": {"event": "spam", "source": "JMRPP"},
    "dropped": {"event": "blocked", "error_related_to": "recipient", "error": "user unknown"},
    "opened": {"event": "open", "agent": "Mozilla/5.0"},
    "clicked": {"event": "click", "url": "https://example.com/?token=1"},
    "unsubscribed": {"event": "unsub"},
}


def _mailjet(kind, notification_id, **more):
    event = {"time": TOLD_AT, "MessageID": 19421777835146490, "email": TO, **_MAILJET[kind], **more}
    return [{**event, "Payload": json.dumps({"notification_id": notification_id})}]


# --- docs.mailtrap.io/email-api-smtp/advanced/webhooks ----------------------------------------------------------------
_MAILTRAP = {
    "delivered": {"event": "delivery"},
    "deferred": {"event": "soft bounce", "response": "451 try again", "response_code": 451},
    "hard_bounce": {"event": "bounce", "response": NO_SUCH, "response_code": 550, "bounce_category": "badmailbox"},
    "soft_bounce": {"event": "bounce", "response": FULL, "response_code": 452},
    "complained": {"event": "spam"},
    "dropped": {"event": "bounce", "response": "bounced", "bounce_category": "badmailbox"},
    "opened": {"event": "open", "user_agent": "Mozilla/5.0"},
    "clicked": {"event": "click", "url": "https://example.com/?token=1"},
    "unsubscribed": {"event": "unsubscribe"},
}


def _mailtrap(kind, notification_id, **more):
    about = {"message_id": "1df37d17-0286-4d8b-8edf-bc4ec5be86e6", "email": TO, "timestamp": TOLD_AT}
    variables = {"notification_id": notification_id}
    event = {**about, "event_id": f"event-{kind}", "custom_variables": variables, **_MAILTRAP[kind], **more}
    return {"events": [event]}


# --- mailchimp.com/developer/transactional/docs/webhooks --------------------------------------------------------------
_MANDRILL = {
    "delivered": ("delivered", {"diag": "250 OK"}),
    "deferred": ("deferral", {"diag": "451 try again"}),
    "hard_bounce": ("hard_bounce", {"bounce_description": "bad_mailbox", "diag": f"smtp;{NO_SUCH}"}),
    "soft_bounce": ("soft_bounce", {"bounce_description": "mailbox_full", "diag": f"smtp;{FULL}"}),
    "complained": ("spam", {}),
    "dropped": ("hard_bounce", {"bounce_description": "invalid_domain"}),
    "opened": ("open", {}),
    "clicked": ("click", {}),
    "unsubscribed": ("unsub", {}),
}


def _mandrill(kind, notification_id, **more):
    name, said = _MANDRILL[kind]
    mail = {"email": TO, "metadata": {"notification_id": notification_id}, "tags": [], **said, **more}
    return [{"event": name, "ts": TOLD_AT, "_id": "exampleaaaaaaaaaaaaaaaaaaaaaaaaa", "msg": mail}]


# --- developers.sparkpost.com/api/webhooks ----------------------------------------------------------------------------
_SPARKPOST = {
    "delivered": ("message_event", {"type": "delivery"}),
    "deferred": ("message_event", {"type": "delay", "bounce_class": "21", "raw_reason": "451 try again"}),
    "hard_bounce": ("message_event", {"type": "bounce", "bounce_class": "10", "raw_reason": NO_SUCH}),
    "soft_bounce": ("message_event", {"type": "out_of_band", "bounce_class": "22", "raw_reason": FULL}),
    "complained": ("message_event", {"type": "spam_complaint"}),
    "dropped": ("message_event", {"type": "bounce", "bounce_class": "30", "raw_reason": "550 no such recipient"}),
    "opened": ("track_event", {"type": "open"}),
    "clicked": ("track_event", {"type": "click", "target_link_url": "https://example.com/?token=1"}),
    "unsubscribed": ("unsubscribe_event", {"type": "list_unsubscribe"}),
}


def _sparkpost(kind, notification_id, **more):
    group, said = _SPARKPOST[kind]
    about = {"timestamp": str(TOLD_AT), "raw_rcpt_to": TO, "event_id": f"event-{kind}"}
    return [{"msys": {group: {**about, "rcpt_meta": {"notification_id": notification_id}, **said, **more}}}]


MAKERS = {
    "mailjet": _mailjet,
    "mailtrap": _mailtrap,
    "mandrill": _mandrill,
    "sparkpost": _sparkpost,
    "amazon_ses": _amazon_ses,
    "brevo": _brevo,
    "mailgun": _mailgun,
    "postmark": _postmark,
    "resend": _resend,
    "sendgrid": _sendgrid,
}
