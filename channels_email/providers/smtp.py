"""Hands mail to a mail server by SMTP: EMAIL_URL says which. One connection per sender thread, kept over batches."""

import time
from collections.abc import Iterator, Sequence
from datetime import timedelta

from django.conf import settings

from channels_email.mail_bytes import NotAMail
from channels_email.mail_server import read_mail_server
from channels_email.message import EmailMessage, Mail, make_mail
from channels_email.smtp_link import OPEN_WITHIN, Link, LinkLost, not_handed_over
from gateway.channel_contract import Outcome, ProviderAway, SendResult


class SmtpProvider:
    """Implements `gateway.channel_contract.Provider`."""

    name = "smtp"
    reports_delivery = False

    def __init__(self) -> None:
        self._link: Link | None = None

    def connect(self) -> None:
        """TCP, TLS, name and password; a connection that is still good is kept. Raises `ProviderAway`."""
        self._opened().ensure()

    def send(self, messages: Sequence[EmailMessage]) -> Iterator[SendResult]:
        """One after the other. When the connection cannot be had again, the rest is not handed over, and said so."""
        gone: SendResult | None = None
        for message in messages:
            if gone is not None:
                yield gone
                continue
            try:
                mail = make_mail(message)
            except NotAMail as error:
                yield SendResult(outcome=Outcome.PERMANENT, error_code="not_a_mail", detail=str(error))
                continue
            try:
                yield self._hand_over(mail)
            except ProviderAway as away:
                gone = not_handed_over(away)
                yield gone

    def check(self, to: str) -> SendResult:
        """TCP, TLS, name and password; no mail is sent, to nobody."""
        self.connect()
        return SendResult(outcome=Outcome.ACCEPTED, detail="The mail server took our name and password.")

    def close(self) -> None:
        """Let go of the connection."""
        if self._link is not None:
            self._link.close()

    def _hand_over(self, mail: Mail) -> SendResult:
        """A connection that ends before the hand-over is opened anew, once: many servers end it after some mails."""
        link = self._opened()
        ends_at = time.monotonic() + link.timeout.total_seconds()
        try:
            link.ensure()
            return link.hand_over(mail, ends_at=ends_at)
        except LinkLost:
            pass
        link.ensure(within=min(OPEN_WITHIN, timedelta(seconds=max(0.1, ends_at - time.monotonic()))))
        try:
            return link.hand_over(mail, ends_at=ends_at)
        except LinkLost as lost:
            return lost.result

    def _opened(self) -> Link:
        if self._link is None:
            if not settings.EMAIL_URL:
                raise ProviderAway("EMAIL_URL is not set.", outcome=Outcome.MISCONFIGURED)
            self._link = Link(read_mail_server(settings.EMAIL_URL))
        return self._link
