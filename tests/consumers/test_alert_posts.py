"""An alert goes to a real mail server and to a real web server, or says why it did not."""

import socket
import threading

import pytest

from consumers.alert_posts import AlertMessage, MailPost, PostFailed, WebhookPost, configured_posts
from tests.consumers.alert_receivers import hook, mailbox  # noqa: F401  fixtures

MESSAGE = AlertMessage(
    alert="dead_letters",
    state="alarm",
    title="[local] Dead letters",
    sentence="3 new dead letters; the first: Set aside (welcome).",
    count=3,
    first="0190a0b0-0000-7000-8000-00000000abcd",
    link="https://notify.example.com/admin/gateway/deadletter/",
)
OPERATORS = ["ops@example.com", "ann@example.com"]


def nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def test_a_mail_goes_to_all_operators(mailbox):  # noqa: F811
    MailPost(mailbox.server, addresses=OPERATORS).send(MESSAGE)
    (mail,) = mailbox.mails
    assert (mail["Subject"], mail["To"]) == (MESSAGE.title, ", ".join(OPERATORS))
    assert mail["Auto-Submitted"] == "auto-generated"
    body = mail.get_content()
    assert all(words in body for words in (MESSAGE.sentence, MESSAGE.first, MESSAGE.link))


def test_a_mail_server_that_refuses_is_a_failure_that_names_no_address(mailbox):  # noqa: F811
    mailbox.refusal = "554 ops@example.com is not welcome"
    with pytest.raises(PostFailed) as caught:
        MailPost(mailbox.server, addresses=OPERATORS).send(MESSAGE)
    assert str(caught.value) == "SMTPDataError 554"


def test_a_mail_server_that_is_away_is_a_failure(mailbox):  # noqa: F811
    with pytest.raises(PostFailed, match="ConnectionRefusedError"):
        MailPost(mailbox.server | {"port": nobody_listens()}, addresses=OPERATORS).send(MESSAGE)


def test_a_webhook_gets_a_json_object(hook):  # noqa: F811
    WebhookPost(hook.url).send(MESSAGE)
    assert hook.posts == [
        {
            "text": f"{MESSAGE.title}: {MESSAGE.sentence} {MESSAGE.link}",
            "alert": "dead_letters",
            "state": "alarm",
            "count": 3,
            "first": MESSAGE.first,
            "link": MESSAGE.link,
        }
    ]
    assert hook.paths == ["/hook?key=s3cret"]


@pytest.mark.parametrize("status", [400, 404, 500])
def test_a_webhook_that_refuses_is_a_failure(hook, status):  # noqa: F811
    hook.status = status
    with pytest.raises(PostFailed, match=str(status)):
        WebhookPost(hook.url).send(MESSAGE)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(hook, status):  # noqa: F811
    hook.status, hook.headers = status, {"Location": hook.url}
    with pytest.raises(PostFailed, match=str(status)):
        WebhookPost(hook.url).send(MESSAGE)
    assert len(hook.posts) == 1


def test_a_webhook_that_is_away_is_a_failure_that_names_no_secret():
    with pytest.raises(PostFailed) as caught:
        WebhookPost(f"http://127.0.0.1:{nobody_listens()}/hook?key=s3cret").send(MESSAGE)
    assert str(caught.value) == "ConnectionRefusedError"


def test_what_answers_no_http_is_a_failure():
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            client, _ = server.accept()
            client.recv(65536)
            client.sendall(b"SSH-2.0-nothing\r\n")
            client.close()

        threading.Thread(target=answer, daemon=True).start()
        with pytest.raises(PostFailed, match=r"BadStatusLine|ConnectionResetError"):
            WebhookPost(f"http://127.0.0.1:{server.getsockname()[1]}/").send(MESSAGE)


def test_only_what_is_set_is_used(settings):
    assert configured_posts() == []
    settings.ALERT_WEBHOOK_URL = "https://chat.example.com/hook"
    assert [post.name for post in configured_posts()] == ["webhook"]
    settings.ALERT_EMAILS, settings.ALERT_EMAIL_URL = OPERATORS, {"host": "mail.example.com"}
    assert [post.name for post in configured_posts()] == ["mail", "webhook"]
