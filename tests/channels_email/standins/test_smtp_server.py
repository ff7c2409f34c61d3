"""The stand-in mail server is a witness for others: it must be right itself."""

import json
import smtplib
import socket
import ssl
import subprocess
import sys
import threading

import pytest
from django.conf import settings as configured

from channels_email.standins.certificates import self_made_certificate
from channels_email.standins.smtp_rules import Rule, RuleBook, rule_of, rules_from
from channels_email.standins.smtp_server import SmtpServer
from channels_email.standins.smtp_session import Offer

MAIL = b"X-Notification-ID: 0190\r\nMessage-ID: <n-1@mail.example>\r\nSubject: Hi\r\n\r\nHello\r\n"
FROM, TO = "shop@mail.example", "ann@example.com"


def talk(server: SmtpServer, **how) -> smtplib.SMTP:
    return smtplib.SMTP("127.0.0.1", server.port, local_hostname="test", timeout=5, **how)


def lines(log) -> list[dict]:
    return [json.loads(line) for line in log.read_text().splitlines()]


def test_a_message_is_logged_and_kept(tmp_path):
    log = tmp_path / "log.jsonl"
    with SmtpServer(log=log) as server, talk(server) as client:
        client.sendmail(FROM, [TO, "bob@example.com"], MAIL)
        client.sendmail(FROM, [TO], MAIL)
    first, second = lines(log)
    assert first["notification_id"] == "0190"
    assert first["message_id"] == "<n-1@mail.example>"
    assert first["recipient"] == "ann@example.com,bob@example.com"
    assert (first["connection"], first["sequence"], second["sequence"]) == (1, 1, 2)
    assert first["time"] <= second["time"]
    assert [each.content for each in server.messages] == [MAIL, MAIL]


def test_it_is_logged_before_the_answer_and_stays_when_the_client_is_gone(tmp_path):
    log = tmp_path / "log.jsonl"
    with SmtpServer(log=log) as server, pytest.raises(smtplib.SMTPServerDisconnected):
        talk(server).sendmail(FROM, ["accepted-close@example.com"], MAIL)
    assert len(lines(log)) == 1


def test_what_ends_before_accepting_is_not_in_the_log(tmp_path):
    log = tmp_path / "log.jsonl"
    with SmtpServer(log=log) as server:
        for local in ("dot-close", "data-close", "rcpt-close"):
            with pytest.raises(smtplib.SMTPServerDisconnected):
                talk(server).sendmail(FROM, [f"{local}@example.com"], MAIL)
        with talk(server) as client, pytest.raises(smtplib.SMTPDataError):
            client.sendmail(FROM, ["dot-451-4.7.1@example.com"], MAIL)
    assert lines(log) == []


def test_several_writers_of_one_log_do_not_tear_lines(tmp_path):
    log = tmp_path / "log.jsonl"
    with SmtpServer(log=log) as one, SmtpServer(log=log) as two:

        def send_many(server):
            with talk(server) as client:
                for _ in range(50):
                    client.sendmail(FROM, [TO], MAIL)

        threads = [threading.Thread(target=send_many, args=(each,)) for each in (one, two, one, two)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    assert len(lines(log)) == 200


def test_commands_may_come_in_any_pieces():
    with SmtpServer() as server, socket.create_connection(("127.0.0.1", server.port), timeout=5) as wire:
        reader = wire.makefile("rb")
        whole = b"EHLO x\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<b@x.test>\r\nDATA\r\nHi\r\n..dot\r\n.\r\nQUIT\r\n"
        for at in range(0, len(whole), 7):
            wire.sendall(whole[at : at + 7])
        said = reader.read().decode()
    assert said.splitlines()[-5:] == [
        "250 2.1.0 OK",
        "250 2.1.5 OK",
        "354 Go ahead",
        "250 2.0.0 OK: queued as S1X1",
        "221 2.0.0 Bye",
    ]
    assert server.messages[0].content == b"Hi\r\n.dot\r\n"


@pytest.mark.parametrize(
    ("offer", "options", "content", "code"),
    [
        (Offer(size=100), (), MAIL + b"x" * 100, 552),
        (Offer(), (), MAIL + "ü\r\n".encode(), 554),
        (Offer(), ("BODY=8BITMIME",), MAIL + "ü\r\n".encode(), 250),
        (Offer(), (), MAIL + b"x" * 999 + b"\r\n", 554),
        (Offer(), (), MAIL + b"bare\nbreak\r\n", 554),
    ],
)
def test_content_against_the_rules_is_refused(offer, options, content, code):
    with SmtpServer(offer=offer) as server, talk(server) as client:
        client.ehlo()
        client.mail(FROM, options)
        client.rcpt(TO)
        client.docmd("DATA")
        client.send(content + b".\r\n" if content.endswith(b"\r\n") else content + b"\r\n.\r\n")
        assert client.getreply()[0] == code


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("MAIL FROM:<a@x.test> BODY=8BITMIME", 555),
        ("MAIL FROM:<a@x.test> SIZE=200", 552),
        ("MAIL FROM:<jürgen@x.test>", 553),
        ("MAIL a@x.test", 501),
        ("RCPT TO:<a@x.test>", 503),
        ("DATA", 503),
        ("STARTTLS", 503),
        ("AUTH NTLM", 504),
        ("HELP", 500),
    ],
)
def test_commands_against_the_rules_are_refused(command, code):
    with SmtpServer(offer=Offer(eight_bit=False, size=100)) as server, talk(server) as client:
        client.ehlo()
        client.send(command.encode() + b"\r\n")
        assert client.getreply()[0] == code


@pytest.mark.parametrize("kind", ["PLAIN", "LOGIN"])
def test_names_and_passwords_are_checked_over_tls(kind, tmp_path):
    certificate = self_made_certificate(tmp_path)
    offer = Offer(starttls=True, users={"shop": "s3cret"})
    with SmtpServer(offer=offer, certificate=certificate) as server, talk(server) as client:
        client.ehlo()
        assert not client.has_extn("auth")
        client.starttls(context=ssl.create_default_context(cafile=certificate))
        client.ehlo()
        assert client.docmd("MAIL", f"FROM:<{FROM}>")[0] == 530
        client.user, client.password = "shop", "wrong"
        with pytest.raises(smtplib.SMTPAuthenticationError):
            client.auth(kind, getattr(client, f"auth_{kind.lower()}"))
        client.password = "s3cret"
        assert client.auth(kind, getattr(client, f"auth_{kind.lower()}"), initial_response_ok=False)[0] == 235
        client.sendmail(FROM, [TO], MAIL)
    assert server.messages[0].is_encrypted


# --- rules ----------------------------------------------------------------------------------------------------------
def test_an_address_asks_for_what_it_gets():
    assert (rule_of("rcpt-550-5.1.1@x.test").at, rule_of("rcpt-550-5.1.1@x.test").reply[:9]) == ("rcpt", "550 5.1.1")
    assert rule_of("dot-hang+17@x.test").act == "hang"
    assert rule_of("answered-close@x.test").act == "close"
    assert rule_of("accepted-delay-250@x.test").delay == 0.25
    assert rule_of("ann@x.test") is None
    assert rule_of("rcpt-600@x.test") is None


def test_a_delay_only_delays():
    with SmtpServer() as server, talk(server) as client:
        client.sendmail(FROM, ["dot-delay-10@example.com"], MAIL)
        client.sendmail(FROM, [TO], MAIL)
    assert server.accepted_count == 2


def test_rules_count_per_connection_and_end_after_their_times():
    book = RuleBook([Rule(at="mail", reply="421 x", every=2, times=3)])
    hits = [book.find("mail", connection, ()) is not None for connection in (1, 1, 2, 2, 2, 2, 1, 1)]
    assert hits == [False, True, False, True, False, True, False, False]


def test_a_file_changes_the_rules_while_the_server_runs(tmp_path):
    file = tmp_path / "rules.json"
    with SmtpServer(rule_file=file) as server, talk(server) as client:
        client.sendmail(FROM, [TO], MAIL)
        file.write_text(json.dumps([{"at": "mail", "reply": "451 4.3.0 Not now"}]))
        with pytest.raises(smtplib.SMTPSenderRefused):
            client.sendmail(FROM, [TO], MAIL)
        file.write_text("[{half")
        with pytest.raises(smtplib.SMTPSenderRefused):
            client.sendmail(FROM, [TO], MAIL)
        file.write_text("")
        client.sendmail(FROM, [TO], MAIL)
    assert server.accepted_count == 2


@pytest.mark.parametrize(
    "text",
    ['{"at": "mail"}', '[{"at": "lunch"}]', '[{"at": "mail", "act": "sing"}]', '[{"at": "mail", "x": 1}]', "[1]"],
)
def test_wrong_rules_are_refused(text):
    with pytest.raises(ValueError, match=r"allowed|needed|no part"):
        rules_from(text)


def test_as_a_process_it_says_when_it_listens_and_ends_when_told(tmp_path):
    log = tmp_path / "log.jsonl"
    process = subprocess.Popen(
        [sys.executable, "-m", "channels_email.standins.smtp_server", "--port", "0", "--log", log],
        cwd=configured.BASE_DIR,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        port = int(process.stdout.readline().rstrip(".\n").rpartition(":")[2])
        with smtplib.SMTP("127.0.0.1", port, local_hostname="test", timeout=5) as client:
            client.sendmail(FROM, [TO], MAIL)
        process.terminate()
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.communicate()
    assert len(lines(log)) == 1


def test_as_a_process_on_a_port_that_is_taken_it_says_so():
    with SmtpServer() as server:
        done = subprocess.run(
            [sys.executable, "-m", "channels_email.standins.smtp_server", "--port", str(server.port)],
            cwd=configured.BASE_DIR,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert "address already in use" in done.stderr
