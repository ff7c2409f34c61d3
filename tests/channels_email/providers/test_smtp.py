"""Mail handed over to a mail server that speaks real SMTP, and everything it may do on the way."""

import email
import json
import re
import socket
import uuid
from datetime import timedelta
from email import policy

import pytest

from channels_email import smtp_link
from channels_email.message import EmailMessage
from channels_email.providers.smtp import SmtpProvider
from channels_email.return_address import find_sealed, read_bounce_domain
from channels_email.standins.certificates import self_made_certificate
from channels_email.standins.smtp_rules import Rule
from channels_email.standins.smtp_server import SmtpServer
from channels_email.standins.smtp_session import Offer
from gateway.channel_contract import Outcome, ProviderAway
from templates_app.rendering import RenderedEmail


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


def verbs(server: SmtpServer) -> list[str]:
    return [each.partition(" ")[0].upper() for each in server.commands]


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


@pytest.mark.parametrize("offer", [Offer(), Offer(pipelining=False)])
@pytest.mark.parametrize(
    ("local", "outcome", "code"),
    [
        ("rcpt-550-5.1.1", Outcome.PERMANENT, "550 5.1.1"),
        ("rcpt-450-4.7.1", Outcome.TRANSIENT, "450 4.7.1"),
        ("data-451-4.3.0", Outcome.TRANSIENT, "451 4.3.0"),
        ("data-554-5.7.1", Outcome.PERMANENT, "554 5.7.1"),
        ("dot-452-4.3.1", Outcome.TRANSIENT, "452 4.3.1"),
        ("dot-554-5.7.1", Outcome.PERMANENT, "554 5.7.1"),
        ("dot-550", Outcome.PERMANENT, "550"),
    ],
)
def test_a_refusal_at_any_step_is_this_mails_alone(serve, provider, offer, local, outcome, code):
    server = serve(offer=offer)
    results = send(provider, f"{local}@example.com", "ann@example.com")
    assert outcomes(results) == [outcome, Outcome.ACCEPTED]
    assert results[0].provider_code == code
    assert server.accepted_count == 1


def test_where_pipelining_is_offered_all_commands_travel_together(serve, provider):
    server = serve()
    send(provider, "ann@example.com")
    assert verbs(server) == ["EHLO", "MAIL", "RCPT", "DATA"]


def test_a_server_that_waits_for_the_content_of_a_refused_mail_gets_none(serve, provider):
    """RFC 2920, 3.1: such servers exist."""
    server = serve(Rule(at="data", reply="354 Go ahead", times=1))
    results = send(provider, "rcpt-550-5.1.1@example.com", "ann@example.com")
    assert outcomes(results) == [Outcome.PERMANENT, Outcome.ACCEPTED]
    assert (server.accepted_count, server.connection_count) == (1, 2)


# --- the sender and what we are ----
@pytest.mark.parametrize(
    ("reply", "code"), [("550 5.1.8 Who?", "sender_refused"), ("530 5.7.0 Authentication required", "login_needed")]
)
def test_what_is_about_us_uses_up_no_attempt(serve, provider, reply, code):
    serve(Rule(at="mail", reply=reply))
    (result,) = send(provider, "ann@example.com")
    assert (result.outcome, result.error_code) == (Outcome.MISCONFIGURED, code)


def test_a_message_no_mail_can_be_made_of_does_not_reach_the_server(serve, provider):
    server = serve()
    results = send(provider, "ann@example.com>\r\nRCPT TO:<eve@example.net", "no address", "ann@example.com")
    assert outcomes(results) == [Outcome.PERMANENT, Outcome.PERMANENT, Outcome.ACCEPTED]
    assert results[0].error_code == "not_a_mail"
    assert not any("eve@" in each for each in server.commands)


# --- sizes, alphabets, lines ----
def test_the_size_is_announced_and_a_mail_too_large_is_not_even_tried(serve, provider):
    server = serve(offer=Offer(size=3000))
    provider.connect()
    results = list(provider.send([a_message(text="x" * 5000), a_message()]))
    assert outcomes(results) == [Outcome.PERMANENT, Outcome.ACCEPTED]
    assert results[0].error_code == "too_large"
    (message,) = server.messages
    assert message.options == (f"SIZE={len(message.content)}",)


def test_a_size_without_a_number_is_no_limit(serve, provider):
    server = serve(Rule(at="hello", reply="250-standin.test\r\n250 SIZE"))
    assert outcomes(send(provider, "ann@example.com")) == [Outcome.ACCEPTED]
    assert server.messages[0].options == ()


def test_a_name_beyond_ascii_before_the_at_needs_a_server_that_takes_it(serve, provider):
    server = serve(offer=Offer(smtputf8=False))
    results = send(provider, "jürgen@example.com", "ann@example.com")
    assert outcomes(results) == [Outcome.PERMANENT, Outcome.ACCEPTED]
    assert results[0].error_code == "address_not_supported"
    assert server.accepted_count == 1


def test_a_name_beyond_ascii_before_the_at_travels_with_smtputf8(serve, provider):
    server = serve()
    assert outcomes(send(provider, "jürgen@bücher.example")) == [Outcome.ACCEPTED]
    (message,) = server.messages
    assert message.recipients == ("jürgen@xn--bcher-kva.example",)
    assert {"SMTPUTF8", "BODY=8BITMIME"} <= set(message.options)


def test_lines_that_begin_with_a_dot_arrive_whole(serve, provider):
    text = ".\n..\n.first\nlast\n."
    server = serve()
    provider.connect()
    list(provider.send([a_message(text=text, html=f"<p>{text}</p>")]))
    mail = email.message_from_bytes(server.messages[0].content, policy=policy.SMTP)
    assert mail.get_body(("plain",)).get_content().replace("\r\n", "\n") == text
    assert mail.get_body(("html",)).get_content().replace("\r\n", "\n") == f"<p>{text}</p>"


# --- connections that end, servers that do not answer ----
@pytest.mark.parametrize("what", ["accepted-close", "accepted-hang", "dot-close", "dot-hang"])
def test_what_is_cut_off_after_the_hand_over_is_unknown(serve, provider, what):
    server = serve(options="?timeout=1")
    results = send(provider, f"{what}@example.com", "ann@example.com")
    assert outcomes(results) == [Outcome.UNKNOWN, Outcome.ACCEPTED]
    assert server.accepted_count == (2 if what.startswith("accepted") else 1)


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data"])
@pytest.mark.parametrize("trouble", [{"act": "close"}, {"reply": "421 4.3.2 Restarting"}])
def test_a_connection_that_ends_before_the_hand_over_is_opened_anew(serve, provider, stage, trouble):
    server = serve(Rule(at=stage, times=1, **trouble))
    assert outcomes(send(provider, "ann@example.com", "bob@example.com")) == [Outcome.ACCEPTED] * 2
    assert (server.connection_count, server.accepted_count) == (2, 2)


def test_a_server_that_ends_each_connection_after_a_few_mails_gets_them_all(serve, provider):
    server = serve(Rule(at="mail", reply="421 4.7.0 Too many mails on one connection", every=3))
    assert outcomes(send(provider, *(f"a{number}@example.com" for number in range(9)))) == [Outcome.ACCEPTED] * 9
    assert (server.connection_count, server.accepted_count) == (5, 9)


def test_a_server_that_ends_every_connection_gets_nothing_and_nothing_is_lost(serve, provider):
    server = serve(Rule(at="rcpt", act="close"))
    results = send(provider, "ann@example.com", "bob@example.com")
    assert outcomes(results) == [Outcome.TRANSIENT] * 2
    assert {each.error_code for each in results} == {"not_handed_over"}
    assert server.accepted_count == 0


def test_a_closing_server_after_the_mail_says_so_about_this_mail(serve, provider):
    server = serve(Rule(at="dot", reply="421 4.3.2 Restarting", times=1))
    results = send(provider, "ann@example.com", "bob@example.com")
    assert outcomes(results) == [Outcome.TRANSIENT, Outcome.ACCEPTED]
    assert (server.connection_count, server.accepted_count) == (2, 1)


def test_a_server_that_goes_away_leaves_the_rest_not_handed_over(serve, provider):
    server = serve()
    provider.connect()
    answers = provider.send([a_message() for _ in range(3)])
    assert next(answers).outcome == Outcome.ACCEPTED
    server.stop()
    rest = list(answers)
    assert [(each.outcome, each.error_code) for each in rest] == [(Outcome.TRANSIENT, "not_handed_over")] * 2
    assert server.accepted_count == 1


def test_a_server_that_is_silent_before_the_hand_over_has_nothing(serve, provider):
    server = serve(Rule(at="rcpt", act="hang", times=1), options="?timeout=1")
    results = send(provider, "ann@example.com", "bob@example.com")
    assert outcomes(results) == [Outcome.TRANSIENT, Outcome.ACCEPTED]
    assert results[0].error_code == "timeout"
    assert server.connection_count == 2


def test_a_reply_that_never_ends_does_not_keep_us_longer_than_we_want(serve, provider):
    serve(Rule(at="rcpt", reply="250-wait"), Rule(at="data", act="hang"), options="?timeout=1")
    (result,) = send(provider, "ann@example.com")
    assert (result.outcome, result.error_code) == (Outcome.TRANSIENT, "timeout")


@pytest.mark.parametrize(
    ("at", "reply", "outcome"),
    [
        ("accepted", "354 What?", Outcome.UNKNOWN),
        ("accepted", "2x0 Odd", Outcome.UNKNOWN),
        ("mail", "354 What?", Outcome.TRANSIENT),
        ("data", "250 Fine", Outcome.TRANSIENT),
    ],
)
def test_an_answer_that_makes_no_sense_is_no_promise(serve, provider, at, reply, outcome):
    rule = Rule(at=at, reply="250 x")
    rule.reply = reply
    serve(rule)
    (result,) = send(provider, "ann@example.com")
    assert result.outcome == outcome


@pytest.mark.parametrize("trouble", [{"act": "close"}, {"reply": "421 4.4.2 Idle"}, {"reply": "500 What?"}])
def test_a_connection_that_died_while_idle_is_found_out_before_the_hand_over(serve, provider, monkeypatch, trouble):
    monkeypatch.setattr(smtp_link, "IDLE", timedelta(seconds=-1))
    server = serve(Rule(at="noop", times=1, **trouble))
    send(provider, "ann@example.com")
    assert outcomes(send(provider, "bob@example.com")) == [Outcome.ACCEPTED]
    assert server.connection_count == 2


def test_a_server_that_restarted_in_between_is_not_noticed_by_anybody(serve, provider):
    server = serve()
    send(provider, "ann@example.com")
    server.cut_connections()
    assert outcomes(send(provider, "bob@example.com")) == [Outcome.ACCEPTED]
    assert server.connection_count == 2


def test_closing_twice_is_fine_and_says_goodbye(serve, provider):
    server = serve()
    send(provider, "ann@example.com")
    provider.close()
    provider.close()
    send(provider, "bob@example.com")
    assert "QUIT" in server.commands


# --- opening ----
@pytest.mark.parametrize("at", ["connect", "hello"])
@pytest.mark.parametrize(
    ("trouble", "says"),
    [
        ({"reply": "421 4.3.2 Not now"}, "421 4.3.2"),
        ({"reply": "554 5.7.1 Not you"}, "554 5.7.1"),
        ({"act": "close"}, "closed the connection"),
        ({"act": "hang"}, "does not answer in time"),
    ],
)
def test_a_server_that_does_not_let_us_in_is_away(serve, provider, at, trouble, says):
    serve(Rule(at=at, **trouble), options="?timeout=1")
    with pytest.raises(ProviderAway, match=re.escape(says)) as caught:
        provider.connect()
    assert caught.value.outcome == Outcome.TRANSIENT


def test_no_server_is_away(settings, provider):
    with socket.socket() as taken:  # bound, but nobody listens
        taken.bind(("127.0.0.1", 0))
        settings.EMAIL_URL = f"smtp://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ProviderAway, match="Connection refused") as caught:
            provider.connect()
    assert caught.value.outcome == Outcome.TRANSIENT


def test_no_setting_is_our_mistake(settings, provider):
    settings.EMAIL_URL = ""
    with pytest.raises(ProviderAway, match="EMAIL_URL is not set") as caught:
        provider.connect()
    assert caught.value.outcome == Outcome.MISCONFIGURED


def test_a_server_of_last_century_is_greeted_in_its_way(serve, provider):
    server = serve(Rule(at="hello", reply="502 5.5.1 EHLO?", times=1))
    assert outcomes(send(provider, "ann@example.com")) == [Outcome.ACCEPTED]
    assert verbs(server)[:2] == ["EHLO", "HELO"]


@pytest.mark.parametrize(("scheme", "how"), [("smtp+tls", {"starttls": True}), ("smtps", {"implicit_tls": True})])
def test_an_encrypted_connection_with_name_and_password(serve, provider, certificate, scheme, how):
    offer = Offer(users={"shop": "s3cret/@"}, **how)
    server = serve(
        offer=offer, certificate=certificate, scheme=scheme, login="shop:s3cret%2F%40@", options=f"?ca={certificate}"
    )
    assert outcomes(send(provider, "ann@example.com")) == [Outcome.ACCEPTED]
    assert server.messages[0].is_encrypted


def test_the_connection_is_encrypted_before_a_name_is_said(serve, provider, certificate):
    offer = Offer(users={"shop": "s3cret"}, starttls=True)
    server = serve(
        offer=offer, certificate=certificate, scheme="smtp+tls", login="shop:s3cret@", options=f"?ca={certificate}"
    )
    send(provider, "ann@example.com")
    assert verbs(server)[:4] == ["EHLO", "STARTTLS", "EHLO", "AUTH"]


def test_a_wrong_password_is_our_mistake_and_is_not_repeated(serve, provider):
    serve(offer=Offer(users={"shop": "s3cret"}), login="shop:wr0ng@")
    with pytest.raises(ProviderAway, match=r"535 5\.7\.8") as caught:
        provider.connect()
    assert caught.value.outcome == Outcome.MISCONFIGURED
    assert "wr0ng" not in str(caught.value)


def test_a_server_that_cannot_check_passwords_now_is_asked_later(serve, provider):
    serve(Rule(at="auth", reply="454 4.7.0 Try later"), offer=Offer(users={"shop": "s3cret"}), login="shop:s3cret@")
    with pytest.raises(ProviderAway, match=r"454 4\.7\.0") as caught:
        provider.connect()
    assert caught.value.outcome == Outcome.TRANSIENT


def test_a_password_for_a_server_that_wants_none_is_our_mistake(serve, provider):
    serve(login="shop:s3cret@")
    with pytest.raises(ProviderAway, match="no way to sign in") as caught:
        provider.connect()
    assert caught.value.outcome == Outcome.MISCONFIGURED


def test_without_the_encryption_we_want_nothing_is_said(serve, provider):
    server = serve(scheme="smtp+tls", login="shop:s3cret@")
    with pytest.raises(ProviderAway, match="STARTTLS") as caught:
        provider.connect()
    assert caught.value.outcome == Outcome.MISCONFIGURED
    assert verbs(server) == ["EHLO"]


@pytest.mark.parametrize(("scheme", "how"), [("smtp+tls", {"starttls": True}), ("smtps", {"implicit_tls": True})])
def test_a_certificate_nobody_vouches_for_is_not_trusted(serve, provider, certificate, scheme, how):
    server = serve(offer=Offer(**how), certificate=certificate, scheme=scheme)
    with pytest.raises(ProviderAway, match="certificate is not trusted") as caught:
        provider.connect()
    assert caught.value.outcome == Outcome.MISCONFIGURED
    assert "MAIL" not in verbs(server)


def test_a_certificate_for_another_name_is_not_trusted(serve, provider, tmp_path):
    other = self_made_certificate(tmp_path, host="other.example", address=None)
    serve(offer=Offer(starttls=True), certificate=other, scheme="smtp+tls", options=f"?ca={other}")
    with pytest.raises(ProviderAway, match="certificate is not trusted"):
        provider.connect()


def test_tls_at_once_with_a_server_that_speaks_in_the_open_is_away(serve, provider):
    serve(scheme="smtps", options="?timeout=1")
    with pytest.raises(ProviderAway):
        provider.connect()


def test_what_is_said_in_the_open_after_starttls_counts_for_nothing(serve, provider, certificate):
    """Somebody between us and the server could have said it."""
    injected = Rule(at="starttls", reply="220 2.0.0 Ready")
    server = serve(injected, offer=Offer(starttls=True), scheme="smtp+tls", certificate=certificate)
    injected.reply = "220 2.0.0 Ready\r\n250-evil.example\r\n250 AUTH PLAIN"
    with pytest.raises(ProviderAway):
        provider.connect()
    assert not {"AUTH", "MAIL"} & set(verbs(server))


def test_a_fault_of_ours_in_the_middle_leaves_no_half_open_mail(serve, provider, monkeypatch):
    server = serve()
    provider.connect()
    monkeypatch.setattr(smtp_link, "accepted", lambda words: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        list(provider.send([a_message()]))
    monkeypatch.undo()
    assert outcomes(send(provider, "bob@example.com")) == [Outcome.ACCEPTED]
    assert server.connection_count == 2


# --- the return address -----------------------------------------------------------------------------------------------
def test_the_envelope_names_the_notification_and_the_mail_does_not(serve, provider, settings):
    settings.BOUNCE_DOMAIN = read_bounce_domain("bounces.example.com")
    server = serve()
    message = a_message()
    provider.connect()
    list(provider.send([message]))
    (received,) = server.messages
    assert find_sealed(received.sender) == message.notification_id
    assert received.sender.endswith("@bounces.example.com")
    assert b"From: Shop <shop@mail.example>" in received.content
    assert b"bounces.example.com" not in received.content


def test_without_a_place_for_bounces_the_envelope_has_the_sender(serve, provider):
    server = serve()
    provider.connect()
    list(provider.send([a_message()]))
    assert server.messages[0].sender == "shop@mail.example"


def test_more_is_to_come_only_where_mails_can_come_back(provider, settings):
    assert provider.reports_delivery is False
    settings.BOUNCE_DOMAIN = read_bounce_domain("bounces.example.com")
    assert provider.reports_delivery is True
