"""What all mail services have in common: many requests under way at once, answers by table, keys that may change."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from channels_email.mail_service_settings import missing_of, tells_news, values_of
from channels_email.mail_services import MailService, Question
from channels_email.message import CANNOT_BE_MADE, EmailMessage, not_made
from channels_email.service_answers.rows import result_of
from channels_email.service_answers.tables import answers_of
from channels_email.trial_mail import a_trial_mail
from gateway.channel_contract import Outcome, ProviderAway, SendResult
from gateway.http_window import Call, CannotConnect, HttpWindow, NoReply, Reply
from gateway.provider_answers import not_known, without_reply
from users.channels import Channel

#: Some services refuse who does not say what they are.
WHO = {"User-Agent": "notification-platform"}


class NotTaken(Exception):
    """The service cannot carry this mail; nothing was handed over."""

    def __init__(self, result: SendResult) -> None:
        super().__init__(result.detail)
        self.result = result


class NotReadable(Exception):
    """The service said yes, but not in a way we know; the text says what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A request, and what is needed to read its answer."""

    call: Call
    payload: Any = None


class MailServiceProvider(ABC):
    """Implements `gateway.channel_contract.Provider` and `CheckedProvider`, but for what each interface has its own."""

    def __init__(self, service: MailService) -> None:
        self.name = service.name
        self.service = service
        self._answers = answers_of(service.name)
        self._values: Mapping[str, str] = {}
        self._window: HttpWindow | None = None

    @abstractmethod
    def use(self, values: Mapping[str, str]) -> str:
        """Take the settings; returns the address of the service. Raises `ProviderAway`."""

    @abstractmethod
    def make(self, message: EmailMessage) -> Made:
        """The request that hands over one mail. Raises `NotTaken`, `ProviderAway` and what `make_mail` raises."""

    @abstractmethod
    def read_id(self, reply: Reply, payload: Any) -> str:
        """The service's name for a mail it took. Raises `NotTaken` and `NotReadable`."""

    @abstractmethod
    def ask(self, question: Question) -> Call:
        """The harmless request."""

    @property
    def reports_delivery(self) -> bool:
        """Only where its news is let in."""
        return tells_news(self.service)

    def connect(self) -> None:
        """A connection, with the settings as they are now. Raises `ProviderAway`."""
        values = values_of(self.service)
        if self._window is None or values != self._values:
            self.close()
            if missing := missing_of(self.service):
                words = f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set."
                raise ProviderAway(words, outcome=Outcome.MISCONFIGURED)
            parts = urlsplit(self.use(values))
            self._window = HttpWindow(f"{parts.scheme}://{parts.netloc}")
            self._values = values
        try:
            self._window.open()
        except CannotConnect as error:
            raise ProviderAway(f"{self.service.title} cannot be reached: {error}.") from error

    def send(self, messages: Sequence[EmailMessage]) -> Iterator[SendResult]:
        """Many at once, answers in order."""
        under_way: deque[Made] = deque()
        for reply in self._opened().ask(self._calls(messages, under_way)):
            yield reply if isinstance(reply, SendResult) else self._result(reply, under_way.popleft().payload)

    def check(self, to: str) -> SendResult:
        """Whether the service takes our key; with `to` by a test mail."""
        self.connect()
        if to:
            return next(iter(self.send([a_trial_mail(to)])))
        question = self.service.question
        if question is None:
            words = f"{self.service.title} is there; whether it takes our key, only a mail can tell: give an address."
            return SendResult(outcome=Outcome.UNKNOWN, error_code="not_asked", detail=words)
        return self._let_in(question, next(self._opened().ask([self.ask(question)])))

    def close(self) -> None:
        """Let go of the connections."""
        if self._window is not None:
            self._window.close()
            self._window = None

    def _let_in(self, question: Question, reply: Reply | NoReply) -> SendResult:
        if isinstance(reply, NoReply):
            return self._without_yes(reply)
        status, words = question.lets_in or (0, "")
        if reply.status == status and words in f"{dict(reply.headers)} {reply.body!r}":
            detail = f"{self.service.title} takes our key; whether it sends, only a mail can tell."
            return SendResult(outcome=Outcome.ACCEPTED, detail=detail)
        if not 200 <= reply.status < 300:
            return self._without_yes(reply)
        if question.holds.encode() not in reply.body:
            return self._without_yes(Reply(HTTPStatus.FORBIDDEN, {}, b""))
        return SendResult(outcome=Outcome.ACCEPTED, detail=f"{self.service.title} takes our key.")

    def _calls(self, messages: Sequence[EmailMessage], under_way: deque[Made]) -> Iterator[Call | SendResult]:
        for message in messages:
            try:
                made = self.make(message)
            except NotTaken as refused:
                yield refused.result
            except CANNOT_BE_MADE as error:
                yield not_made(error)
            except ProviderAway as away:  # what signs the requests has run out meanwhile
                yield away.result()
            else:
                under_way.append(made)
                yield made.call

    def _result(self, reply: Reply | NoReply, payload: Any) -> SendResult:
        if isinstance(reply, NoReply) or not 200 <= reply.status < 300:
            return self._without_yes(reply)
        try:
            return SendResult(outcome=Outcome.ACCEPTED, provider_message_id=self.read_id(reply, payload))
        except NotTaken as refused:
            return refused.result
        except NotReadable as error:
            return not_known(Channel.EMAIL, self.name, f"{reply.status} {error}")

    def _without_yes(self, reply: Reply | NoReply) -> SendResult:
        return without_reply(reply) if isinstance(reply, NoReply) else result_of(self.name, self._answers, reply)

    def _opened(self) -> HttpWindow:
        if self._window is None:
            self.connect()
        return self._window  # type: ignore[return-value]  # connect() has made it


def address_not_supported(title: str) -> NotTaken:
    """RFC 6531."""
    words = f"{title} takes no addresses with letters beyond ASCII before the @."
    return NotTaken(SendResult(outcome=Outcome.PERMANENT, error_code="address_not_supported", detail=words))
