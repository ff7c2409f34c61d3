"""What a developer asks the stand-in mail server itself: rules to set, and the mails it has taken."""

from collections import deque
from itertools import islice
from typing import Any

from channels_email.standins.smtp_rules import STAGES, rule_from_words
from channels_email.standins.smtp_server import SmtpServer
from channels_email.standins.smtp_session import Received
from gateway.standin_server import Asked, Given, StandIn

#: So many mails are kept to be looked at.
KEPT = 200


class SmtpControl(StandIn):
    """The control port of a mail server. An answer is `<stage>-<what>`, such as `rcpt-550-5.1.1`, `auth-535-5.7.8`."""

    name = "smtp"

    def __init__(self, *, port: int = 0) -> None:
        super().__init__(port=port)
        self.server: SmtpServer | None = None
        self.mails: deque[dict[str, Any]] = deque(maxlen=KEPT)

    def note(self, message: Received) -> None:
        """One that the server has taken."""
        content = message.content.decode("utf-8", "replace")
        self.mails.append({"sender": message.sender, "recipients": message.recipients, "content": content})

    def possible(self) -> list[str]:
        """One of each kind, and the stages."""
        kinds = ("rcpt-550", "rcpt-550-5.1.1", "rcpt-hang", "rcpt-close", "rcpt-delay-300")
        return [*kinds, f"instead of rcpt: {', '.join(STAGES)}"]

    def knows(self, answer: str) -> bool:
        """Whatever a rule can be made of."""
        return rule_from_words(answer) is not None

    def answer(self, asked: Asked) -> Given:
        """Mails come by SMTP."""
        return Given(404, {"error": "Mails are taken by SMTP; this is the control port, see /control/rules."})

    def control(self, asked: Asked) -> Given:
        """As of every stand-in, handed on to the mail server."""
        self.accepted = list(islice(self.mails, None))
        given = super().control(asked)
        if asked.method == "DELETE" and asked.path == "/control/accepted":
            self.mails.clear()
        if self.server is not None:
            made = {who: rule_from_words(words) for who, words in self.rules.items()}
            self.server.book.by_recipient = {who: rule for who, rule in made.items() if rule is not None}
        return given
