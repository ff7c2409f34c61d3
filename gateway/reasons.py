"""The reason catalogue: why a notification is where it is, in words. Admin, API and docs read it from here.

`{…}` in a sentence is filled from the notification's `reason_data`. `[…]` is said only where all its values are known;
anywhere else what is not known reads as a plain phrase.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from users.channels import Channel


@dataclass(frozen=True, slots=True)
class Reason:
    """Word and sentence for people, and what one can do about it."""

    word: str | Promise
    sentence: str | Promise
    action: str | Promise = ""


REASONS: dict[str, Reason] = {
    "waiting": Reason(_("Waiting"), _("It will go out in a moment.")),
    "scheduled": Reason(_("Scheduled"), _("It is scheduled[ for {t}]."), _("Cancel, Send now")),
    "quiet_hours": Reason(
        _("Waiting for quiet hours"),
        _("{name} does not want {channel}[ between {start} and {end} ({tz})][; it goes out at {t}]."),
        _("Send now, if urgent"),
    ),
    "retrying": Reason(_("Trying again"), _("{last_error}[. Next try {t} ({n} of {m})]."), _("Wait")),
    "rate_limited": Reason(_("Slowed down"), _("{provider} takes no more just now[; it goes out at {t}].")),
    "provider_down": Reason(
        _("Provider trouble"), _("{provider} does not answer[; next try {t}]."), _("Tell the operators")
    ),
    "breaker_open": Reason(
        _("Provider paused"),
        _("{provider} is paused, after failures or by hand[, until {t}]."),
        _("Tell the operators"),
    ),
    "provider_auth": Reason(
        _("Wrong credentials"),
        _("{provider} refused our credentials; it waits until they are corrected."),
        _("Operators: check the settings"),
    ),
    "sending": Reason(_("Sending"), _("{provider} has it; we wait for the answer.")),
    "outcome_unknown": Reason(
        _("Unclear"),
        _("{provider} did not answer after we handed it over; it may have arrived."),
        _("Settle"),
    ),
    "sent": Reason(
        _("Handed over"),
        _("{provider} accepted it. There is no proof of delivery from this provider."),
        _("Ask the person to look in spam"),
    ),
    "delivered": Reason(_("Delivered"), _("The mail server of {domain} accepted it. It can still be in spam.")),
    "mailbox_unknown": Reason(
        _("Address does not exist"),
        _("The mail server says there is no such mailbox[ ({code})]."),
        _("Correct or remove the address"),
    ),
    "mailbox_full": Reason(_("Mailbox full"), _("The mailbox takes no more mail."), _("Ask another way")),
    "rejected_content": Reason(
        _("Refused as spam"), _("The receiving server refused the content[ ({code})]."), _("Check the template")
    ),
    "bounced": Reason(_("Came back"), _("The mail came back[: {error}]."), _("Check the address")),
    "opt_out": Reason(_("Not sent: turned off"), _("{name} turned off {category}[ by {channel}].")),
    "address_suppressed": Reason(
        _("Not sent: blocked address"), _("This address bounced or complained[ on {date}]."), _("Check it, unblock")
    ),
    "no_address": Reason(_("Not sent: no address"), _("There is no e-mail address for {name}."), _("Ask for it")),
    "no_device": Reason(_("Not sent: no device"), _("{name} has no active device.")),
    "user_inactive": Reason(_("Not sent: account inactive"), _("The account of {name} is switched off.")),
    "not_on_allow_list": Reason(
        _("Not sent: not on the list"), _("This installation only writes to its allow-list."), _("Add to the list")
    ),
    "cancelled": Reason(_("Cancelled"), _("{who} cancelled it[: {reason}].")),
    "erased": Reason(_("Cancelled"), _("The person's data was erased.")),
    "expired": Reason(_("Too late"), _("It was not sent before its time limit[ {t}].")),
    "attempts_exhausted": Reason(_("Given up"), _("All tries failed[ ({n})][; the last one: {error}]."), _("Replay")),
    "rejected": Reason(
        _("Refused"), _("{provider} refused it for good[. It said: {error}]."), _("Developers: look at the request")
    ),
    "token_invalid": Reason(_("App removed"), _("The device no longer takes pushes; we switched it off.")),
    "variable_missing": Reason(
        _("Not sent: data missing"), _("There was no value for {variable}."), _("Developers: send it")
    ),
    "template_error": Reason(
        _("Not sent: template broken"),
        _("The template could not be rendered[ (version {v})][: {error}]."),
        _("Editors: mend the template"),
    ),
    "poison": Reason(
        _("Set aside"), _("It stopped[ {n}] consumers and was set aside."), _("Operators and developers: find out why")
    ),
}

#: `delivered`, of a push.
ON_A_DEVICE = _("A device reported that it has it.")
#: Which reasons a status can have, as clients know the statuses (section 20 of the API document).
BY_STATUS: dict[str, tuple[str, ...]] = {
    "accepted": (
        *("waiting", "scheduled", "quiet_hours", "retrying", "rate_limited", "provider_down", "breaker_open"),
        "provider_auth",
    ),
    "queued": ("waiting",),
    "sending": ("sending", "outcome_unknown"),
    "sent": ("sent",),
    "delivered": ("delivered",),
    "bounced": ("mailbox_unknown", "mailbox_full", "rejected_content", "bounced", "rejected"),
    "suppressed": ("opt_out", "address_suppressed", "no_address", "no_device", "user_inactive", "not_on_allow_list"),
    "cancelled": ("cancelled", "erased"),
    "expired": ("expired",),
    "failed": (
        *("attempts_exhausted", "rejected", "rejected_content", "mailbox_unknown", "token_invalid"),
        *("variable_missing", "template_error", "outcome_unknown", "poison", "address_suppressed"),
    ),
}
#: How sentences call what goes over a channel.
CHANNELS: dict[str, str | Promise] = {Channel.EMAIL: _("e-mail"), Channel.PUSH: _("push messages")}

#: What stands in for a value that a row does not carry.
UNKNOWN_VALUES: dict[str, str | Promise] = {
    "name": _("the person"),
    "channel": _("messages"),
    "provider": _("the provider"),
    "domain": _("the receiver"),
    "last_error": _("the last try failed"),
    "who": _("somebody"),
    "category": _("something"),
    "variable": _("a variable"),
}
#: A part of a sentence that is said only where all its values are known.
_OPTIONAL = re.compile(r"\[([^\]]*)\]")
#: A value, and the end of the sentence where it follows at once.
_VALUE = re.compile(r"\{(\w+)\}(\.?)")
_ENDS_A_SENTENCE = (".", "!", "?", "…")


def sentence(code: str, data: Mapping[str, object]) -> str:
    """The filled sentence of a reason in the active language; an unknown code reads as itself."""
    reason = REASONS.get(code)
    if reason is None:
        return code
    if code == "delivered" and data.get("device"):
        return str(ON_A_DEVICE)
    return fill(reason.sentence, data)


def fill(words: str | Promise, data: Mapping[str, object]) -> str:
    """A sentence with its `{…}` filled from `data`, and without the `[…]` of which nothing is known."""
    known = {name: str(value) for name, value in data.items() if value not in (None, "")}

    def part(found: re.Match[str]) -> str:
        return found[1] if all(name in known for name, _stop in _VALUE.findall(found[1])) else ""

    def value(found: re.Match[str]) -> str:
        name, stop = found.groups()
        said = known.get(name) or str(UNKNOWN_VALUES.get(name, "…"))
        if found.start() == 0 and name not in known:
            said = said[:1].upper() + said[1:]
        # People and providers end their sentences with a full stop or without; ours have exactly one.
        return said if said.endswith(_ENDS_A_SENTENCE) else said + stop

    return _VALUE.sub(value, _OPTIONAL.sub(part, str(words)))


def pattern(code: str) -> str:
    """The sentence of a known reason with all that it may say, its values as `{…}`."""
    return _OPTIONAL.sub(r"\1", str(REASONS[code].sentence))


def word(code: str) -> str:
    """One or two words for a reason, in the active language."""
    reason = REASONS.get(code)
    return str(reason.word) if reason else code
