"""Amazon SES, version 2: https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html#API_SendEmail_Errors
and what all of AWS may say: https://docs.aws.amazon.com/ses/latest/APIReference-V2/CommonErrors.html

An address on the account's suppression list is taken, and comes back as a bounce.
"""

from channels_email.service_answers.meanings import (
    account_stopped,
    address_refused,
    key_refused,
    message_refused,
    quota_used_up,
    receivers_limited,
    sender_refused,
    too_fast,
    too_large,
    trouble,
)
from channels_email.service_answers.rows import Answers, Row, Said, usual_rows
from gateway.channel_contract import Outcome
from gateway.http_window import Reply
from gateway.provider_answers import Meaning

_TITLE = "Amazon SES"
_KEY = key_refused(
    _TITLE, "AMAZON_SES_ACCESS_KEY_ID and AMAZON_SES_SECRET_ACCESS_KEY", "IAM, Users, Security credentials."
)
_CLOCK = Meaning(
    outcome=Outcome.MISCONFIGURED,
    error_code="clock_wrong",
    sentence="Amazon SES does not accept the time of our signature.",
    remedy="Set this machine's clock (NTP).",
)
_NOT_ALLOWED = Meaning(
    outcome=Outcome.MISCONFIGURED,
    error_code="access_denied",
    sentence="The user or role may not send.",
    remedy="Allow it ses:SendEmail for the sender's identity, and ses:SendRawEmail.",
)
_SENDER = sender_refused(_TITLE, "Verify it, or its domain, in AMAZON_SES_REGION: Configuration, Identities.")
_MESSAGE = message_refused(_TITLE)
_STOPPED = account_stopped(_TITLE, "sending is paused or suspended", "Look at the account's reputation in the console.")
_SET = Meaning(
    outcome=Outcome.MISCONFIGURED,
    error_code="configuration_set_unknown",
    sentence="Amazon SES knows no such configuration set.",
    remedy="Check AMAZON_SES_CONFIGURATION_SET and AMAZON_SES_REGION.",
)


def _said(reply: Reply) -> Said:
    """The type is in a header, or in the body; behind # and before : stands what counts."""
    body = reply.json_object()
    header = next((value for name, value in reply.headers.items() if name.lower() == "x-amzn-errortype"), "")
    kind = (header or str(body.get("__type") or body.get("code") or "")).partition(":")[0].rpartition("#")[2]
    return Said(code=kind, words=str(body.get("message") or body.get("Message") or ""))


AMAZON_SES = Answers(
    said=_said,
    rows=(
        # While an account is in the sandbox, receivers have to be verified too: those named are not always our sender.
        Row(
            400,
            receivers_limited(_TITLE, "Ask AWS for production access, or verify sender and receiver."),
            code="MessageRejected",
            words="not verified",
        ),
        Row(400, quota_used_up(_TITLE), code="MessageRejected", words="quota"),
        Row(400, _STOPPED, code="MessageRejected", words="paused"),
        Row(400, _MESSAGE, code="MessageRejected"),
        Row(400, _SENDER, code="MailFromDomainNotVerifiedException"),
        Row(0, _SENDER, code="MailFromDomainNotVerified"),
        Row(400, _STOPPED, code="AccountSuspendedException"),
        Row(400, _STOPPED, code="SendingPausedException"),
        Row(404, _SET, code="NotFoundException"),
        Row(400, _SET, code="BadRequestException", words="configuration set"),
        Row(400, too_large(_TITLE), code="BadRequestException", words="message length"),
        Row(400, address_refused(_TITLE), code="BadRequestException", words="domain contains"),
        Row(400, address_refused(_TITLE), code="BadRequestException", words="final '@domain'"),
        Row(400, address_refused(_TITLE), code="BadRequestException", words="illegal address"),
        Row(400, address_refused(_TITLE), code="BadRequestException", words="local address contains control"),
        Row(400, _MESSAGE, code="BadRequestException"),
        Row(429, quota_used_up(_TITLE), code="TooManyRequestsException", words="daily"),
        Row(429, too_fast(_TITLE), code="TooManyRequestsException"),
        Row(400, quota_used_up(_TITLE), code="LimitExceededException"),
        Row(0, too_fast(_TITLE), code="ThrottlingException"),
        Row(0, too_fast(_TITLE), code="Throttling"),
        Row(0, _NOT_ALLOWED, code="AccessDeniedException"),
        Row(0, _NOT_ALLOWED, code="AccessDenied"),
        Row(0, _NOT_ALLOWED, code="OptInRequired"),
        Row(403, _CLOCK, code="RequestExpired"),
        Row(403, _CLOCK, code="InvalidSignatureException", words="signature expired"),
        Row(403, _CLOCK, code="InvalidSignatureException", words="not yet current"),
        Row(400, _CLOCK, code="RequestExpired"),
        Row(403, _KEY),
        Row(400, _KEY, code="ExpiredTokenException"),
        Row(400, _KEY, code="IncompleteSignature"),
        Row(400, _KEY, code="MissingAuthenticationToken"),
        Row(0, trouble(_TITLE), code="InternalFailure"),
        Row(0, trouble(_TITLE), code="InternalServiceErrorException"),
        Row(0, trouble(_TITLE), code="ServiceUnavailable"),
        *usual_rows(_TITLE, "AMAZON_SES_REGION and AMAZON_SES_URL"),
    ),
)
