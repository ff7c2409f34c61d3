"""Mail handed over to a mail server that speaks real SMTP, and everything it may do on the way."""

import json
import uuid

import pytest

from channels_email.message import EmailMessage
from channels_email.providers.smtp import SmtpProvider
from gateway.channel_contract import Outcome
from templates_app.rendering import RenderedEmail
from tests.standins.certificates import self_made_certificate
from tests.standins.smtp_rules import Rule
from tests.standins.smtp_server import SmtpServer
from tests.standins.smtp_session import Offer


@pytest.fixture
def serve(settings):
    """Starts a mail server and points EMAIL_URL to it."""
    servers = []

    def start(*rules: Rule, scheme: str = "smtp", login: str = "", options: str = "?timeout=5", **how) -> SmtpServer:
        server = SmtpServer(rules=rules, **how).start()
        servers.append(server)
        settings.EMAIL_URL = f"{scheme}://{login}127.0.0.1:{server.port}/{options}"
        return server

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def provider():
    provider = SmtpProvider()
    yield provider
    provider.close()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    return self_made_certificate(tmp_path_factory.mktemp("tls"))


def a_message(to: str = "Ann Lee <ann@example.com>", *, sender: str = "Shop <shop@mail.example>", **words: str):
    number = uuid.uuid4()
    return EmailMessage(
        notification_id=number,
        message_id=f"n-{number}",
        to=to,
        sender=sender,
        locale="en",
        words=RenderedEmail(**({"subject": "Hello", "preheader": "", "html": "<p>Hi</p>", "text": "Hi"} | words)),
    )


def send(provider: SmtpProvider, *to: str):
    provider.connect()
    return list(provider.send([a_message(each) for each in to]))


def outcomes(results):
    return [each.outcome for each in results]


def test_a_mail_arrives_and_the_server_has_logged_it_before_it_answers(serve, provider, tmp_path):
    log = tmp_path / "accepted.jsonl"
    server = serve(log=log)
    message = a_message()
    provider.connect()
    answers = provider.send([message])
    result = next(answers)
    (line,) = [json.loads(each) for each in log.read_text().splitlines()]
    assert line["notification_id"] == str(message.notification_id)
    assert line["message_id"] == f"<{message.message_id}@mail.example>"
    assert line["recipient"] == "ann@example.com"
    assert (result.outcome, result.provider_message_id) == (Outcome.ACCEPTED, "S1X1")
    assert list(answers) == []
    assert server.messages[0].sender == "shop@mail.example"


def test_one_connection_serves_many_batches(serve, provider):
    server = serve()
    for _ in range(3):
        assert outcomes(send(provider, "a@example.com", "b@example.com")) == [Outcome.ACCEPTED] * 2
    assert (server.connection_count, server.accepted_count) == (1, 6)


@pytest.mark.parametrize("offer", [Offer(), Offer(pipelining=False), Offer(size=0, eight_bit=False, smtputf8=False)])
def test_a_refused_recipient_does_not_harm_the_next(serve, provider, offer):
    server = serve(offer=offer)
    results = send(provider, "rcpt-550-5.1.1@example.com", "ann@example.com", "rcpt-452-4.2.2@example.com", "b@x.test")
    assert outcomes(results) == [Outcome.PERMANENT, Outcome.ACCEPTED, Outcome.TRANSIENT, Outcome.ACCEPTED]
    assert [each.recipients for each in server.messages] == [("ann@example.com",), ("b@x.test",)]
    assert server.connection_count == 1


@pytest.mark.parametrize("what", ["accepted-close", "accepted-hang", "dot-close", "dot-hang"])
def test_what_is_cut_off_after_the_hand_over_is_unknown(serve, provider, what):
    server = serve(options="?timeout=1")
    results = send(provider, f"{what}@example.com", "ann@example.com")
    assert outcomes(results) == [Outcome.UNKNOWN, Outcome.ACCEPTED]
    assert server.accepted_count == (2 if what.startswith("accepted") else 1)


@pytest.mark.parametrize(("scheme", "how"), [("smtp+tls", {"starttls": True}), ("smtps", {"implicit_tls": True})])
def test_an_encrypted_connection_with_name_and_password(serve, provider, certificate, scheme, how):
    offer = Offer(users={"shop": "s3cret/@"}, **how)
    server = serve(
        offer=offer, certificate=certificate, scheme=scheme, login="shop:s3cret%2F%40@", options=f"?ca={certificate}"
    )
    assert outcomes(send(provider, "ann@example.com")) == [Outcome.ACCEPTED]
    assert server.messages[0].is_encrypted
