"""Hands mail to a mail server by SMTP: EMAIL_URL says which. One connection per sender thread, kept over batches."""

import time
from collections.abc import Iterator, Sequence
from datetime import timedelta

from channels_email.dkim_signing import signed
from channels_email.mail_server import read_mail_server
from channels_email.message import CANNOT_BE_MADE, EmailMessage, Mail, make_mail, not_made
from channels_email.smtp_link import OPEN_WITHIN, Link, LinkLost
from channels_email.trial_mail import a_trial_mail
from gateway.channel_contract import Outcome, ProviderAway, SendResult
from gateway.provider_settings import provider_setting


class SmtpProvider:
    """Implements `gateway.channel_contract.Provider`."""

    name = "smtp"

    def __init__(self) -> None:
        self._link: Link | None = None
        #: What the connection was opened by.
        self._url = ""

    @property
    def reports_delivery(self) -> bool:
        """Where mails can come back to us, the news may still come; a server says nothing of those that arrive."""
        return provider_setting("BOUNCE_DOMAIN") is not None

    def connect(self) -> None:
        """TCP, TLS, name and password; a connection that is still good is kept. Raises `ProviderAway`."""
        url = provider_setting("EMAIL_URL")
        if url != self._url:
            self.close()
            self._link, self._url = None, url
        self._opened().ensure()

    def send(self, messages: Sequence[EmailMessage]) -> Iterator[SendResult]:
        """One after the other. When the connection cannot be had again, the rest is not handed over, and said so."""
        gone: SendResult | None = None
        for message in messages:
            if gone is not None:
                yield gone
                continue
            try:
                mail = signed(make_mail(message))
            except CANNOT_BE_MADE as error:
                yield not_made(error)
                continue
            try:
                yield self._hand_over(mail)
            except ProviderAway as away:
                gone = away.result()
                yield gone

    def check(self, to: str) -> SendResult:
        """TCP, TLS, name and password; with `to` a test mail."""
        self.connect()
        if to:
            return next(iter(self.send([a_trial_mail(to)])))
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
            self._url = self._url or provider_setting("EMAIL_URL")
            if not self._url:
                raise ProviderAway("EMAIL_URL is not set.", outcome=Outcome.MISCONFIGURED)
            self._link = Link(read_mail_server(self._url))
        return self._link
