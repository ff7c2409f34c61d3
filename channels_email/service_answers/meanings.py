"""What many mail services say, in our words. `title` is the service's name for people."""

from datetime import timedelta

from gateway.channel_contract import Outcome
from gateway.provider_answers import TOO_LARGE, Meaning

#: Why an address gets no more mail from a service: it bounced or complained there before.
SUPPRESSED = "address_suppressed"
#: For those whose account is paused or empty: nobody mends that within a minute.
ACCOUNT_WAIT = timedelta(minutes=10)
#: For what only some receivers get to feel, such as an account that may write to itself alone.
RECEIVER_WAIT = timedelta(hours=1)


def key_refused(title: str, settings: str, where: str) -> Meaning:
    return Meaning(
        outcome=Outcome.MISCONFIGURED,
        error_code="access_refused",
        sentence=f"{title} does not accept {settings}.",
        remedy=f"Copy it anew: {where}",
    )


def sender_refused(title: str, where: str) -> Meaning:
    """All our mails have one sender, so all of them are concerned."""
    return Meaning(
        outcome=Outcome.MISCONFIGURED,
        error_code="sender_refused",
        sentence=f"{title} does not send for the address in DEFAULT_FROM_EMAIL.",
        remedy=where,
    )


def account_stopped(title: str, why: str, remedy: str) -> Meaning:
    return Meaning(
        outcome=Outcome.MISCONFIGURED,
        error_code="account_stopped",
        sentence=f"{title} sends nothing for this account: {why}.",
        remedy=remedy,
        wait=ACCOUNT_WAIT,
    )


def receivers_limited(title: str, remedy: str) -> Meaning:
    """An account on trial: others of its receivers get their mail."""
    return Meaning(
        outcome=Outcome.MISCONFIGURED,
        error_code="receiver_not_allowed",
        sentence=f"{title} lets this account write to some addresses only.",
        remedy=remedy,
        wait=RECEIVER_WAIT,
        concerns_all=False,
    )


def address_suppressed(title: str) -> Meaning:
    return Meaning(
        outcome=Outcome.PERMANENT,
        error_code="address_suppressed",
        sentence=f"{title} sends nothing more to this address: it bounced or complained before.",
        remedy=f"Once the person wants mail again, take it from the suppressions of {title} and from ours.",
        reason=SUPPRESSED,
    )


def address_refused(title: str) -> Meaning:
    return Meaning(
        outcome=Outcome.PERMANENT,
        error_code="address_refused",
        sentence=f"{title} says that this is no address.",
        remedy="Correct the address.",
        reason="mailbox_unknown",
    )


def message_refused(title: str) -> Meaning:
    return Meaning(
        outcome=Outcome.PERMANENT,
        error_code="message_refused",
        sentence=f"{title} refused the mail.",
        remedy="Look at what it said, and at the template.",
    )


def too_large(title: str) -> Meaning:
    return Meaning(
        outcome=Outcome.PERMANENT,
        error_code=TOO_LARGE,
        sentence=f"The mail is larger than {title} takes.",
        remedy="Make its content or attachments smaller.",
    )


def too_fast(title: str) -> Meaning:
    return Meaning(outcome=Outcome.THROTTLED, error_code="too_fast", sentence=f"{title} takes no more just now.")


def quota_used_up(title: str) -> Meaning:
    """Waiting a second or two would not help."""
    return Meaning(
        outcome=Outcome.THROTTLED,
        error_code="quota_used_up",
        sentence=f"The mails of this account at {title} are used up for now.",
        remedy="Choose a larger plan, or name a second service in EMAIL_PROVIDERS.",
        wait=ACCOUNT_WAIT,
    )


def address_of_service(title: str, setting: str) -> Meaning:
    return Meaning(
        outcome=Outcome.MISCONFIGURED,
        error_code="not_found",
        sentence=f"{title} has nothing at this address.",
        remedy=f"Check {setting}.",
    )


def trouble(title: str) -> Meaning:
    return Meaning(
        outcome=Outcome.TRANSIENT, error_code="service_trouble", sentence=f"{title} has trouble at the moment."
    )


def took_too_long(title: str) -> Meaning:
    return Meaning(
        outcome=Outcome.UNKNOWN,
        error_code="no_answer",
        sentence=f"{title} took too long; the mail may have been sent.",
    )


def had_before(title: str) -> Meaning:
    """The first request under the key may have been refused as well as taken: only the service knows."""
    return Meaning(
        outcome=Outcome.UNKNOWN,
        error_code="had_before",
        sentence=f"{title} has had this mail before, and does not say what became of it.",
        remedy=f"Look into the log of {title}.",
    )
