"""A mailbox at a server that speaks real IMAP, and everything it may do on the way."""

from datetime import timedelta

import pytest

from channels_email import bounce_imap
from channels_email.bounce_imap import BounceMailbox
from channels_email.imap_server import read_imap_server
from channels_email.mail_parts import LARGEST_MAIL
from channels_email.return_address import read_bounce_domain, return_address
from channels_email.standins.certificates import self_made_certificate
from gateway.channel_contract import EventType, NewsAway
from tests.channels_email import bounce_mails as mails
from tests.channels_email.bounce_scene import ANN, sent_to
from tests.standins.imap_server import ImapServer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def domain(settings):
    settings.BOUNCE_DOMAIN = read_bounce_domain("bounces.example.com")


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    return self_made_certificate(tmp_path_factory.mktemp("imap"))


@pytest.fixture
def serve():
    """Starts a server; returns it and a mailbox that reads it."""
    made = []

    def start(*, scheme: str = "imap", options: str = "", login: str = "returns:s3cret", **how):
        server = ImapServer(**how).start()
        url = f"{scheme}://{login}@127.0.0.1:{server.port}/{how.get('mailbox', 'INBOX')}{options}"
        box = BounceMailbox(read_imap_server(url))
        made.append((server, box))
        return server, box

    yield start
    for server, box in made:
        server.stop()
        box.close()


def about(row, written=mails.postfix) -> bytes:
    return written(return_address(row.pk), ANN, row.message_id)


def in_folder(server: ImapServer, name: str = "INBOX") -> list[set[str]]:
    return [each.flags for each in server.folders[name]]


def test_a_bounce_stays_until_it_is_recorded_and_is_then_moved(serve):
    server, box = serve()
    row = sent_to()
    server.put(about(row))
    news = box.collect_news(500)
    assert [(each.type, each.notification_id) for each in news] == [(EventType.BOUNCED, row.pk)]
    assert in_folder(server) == [set()]
    box.confirm_news(news)
    assert in_folder(server) == []
    assert in_folder(server, "Handled") == [set()]
    assert server.commands[-1] == "LOGOUT"


def test_a_record_that_failed_leaves_the_mail_for_the_next_look(serve):
    server, box = serve()
    server.put(about(sent_to()))
    first = box.collect_news(500)
    assert box.collect_news(500) == first
    assert in_folder(server) == [set()]


def test_what_is_no_bounce_is_flagged_unread_and_not_fetched_again(serve):
    server, box = serve()
    server.put(about(sent_to(), mails.a_human))
    assert box.collect_news(500) == []
    assert in_folder(server) == [{"\\Flagged"}]
    assert box.collect_news(500) == []
    assert len([each for each in server.commands if each.startswith("UID FETCH")]) == 1


def test_what_somebody_has_read_is_read_what_is_deleted_or_flagged_is_not(serve):
    server, box = serve()
    rows = [sent_to() for _ in range(3)]
    for row, flag in zip(rows, ("\\Seen", "\\Flagged", "\\Deleted"), strict=True):
        server.put(about(row), "INBOX", flag)
    assert [each.notification_id for each in box.collect_news(500)] == [rows[0].pk]


@pytest.mark.parametrize(
    ("capabilities", "left"), [("UIDPLUS AUTH=PLAIN", []), ("AUTH=PLAIN", [{"\\Seen", "\\Deleted"}])]
)
def test_without_move_mails_are_copied_and_deleted(serve, capabilities, left):
    server, box = serve(capabilities=capabilities)
    server.put(about(sent_to()))
    box.confirm_news(box.collect_news(500))
    assert len(in_folder(server, "Handled")) == 1
    assert in_folder(server) == left
    assert box.collect_news(500) == []


def test_a_server_that_keeps_folders_below_the_inbox_gets_it_there(serve):
    server, box = serve(prefix="INBOX.")
    server.put(about(sent_to()))
    box.confirm_news(box.collect_news(500))
    assert len(in_folder(server, "INBOX.Handled")) == 1


def test_where_there_can_be_no_folder_mails_stay_flagged(serve):
    server, box = serve()
    server.may_create = False
    server.put(about(sent_to()))
    box.confirm_news(box.collect_news(500))
    assert in_folder(server) == [{"\\Seen", "\\Flagged"}]
    assert box.collect_news(500) == []


def test_a_look_changes_nothing(serve):
    server, box = serve()
    server.put(about(sent_to()))
    server.put(b"From: a\n\nHi")
    seen = box.look(500)
    assert [each.name for each in seen] == ["101", "102"]
    assert in_folder(server) == [set(), set()]


def test_a_mail_is_fetched_up_to_its_limit(serve):
    server, box = serve()
    server.put(b"From: a\n\n" + b"x" * (LARGEST_MAIL * 2))
    assert box.collect_news(500) == []
    assert in_folder(server) == [{"\\Flagged"}]


def test_other_names_and_signs_in_passwords_are_sent_as_they_are(serve):
    server, box = serve(user='ann "x"', password='p\\w" ü', login="ann%20%22x%22:p%5Cw%22%20%C3%BC", mailbox="Bounces")
    server.put(about(sent_to()))
    assert len(box.collect_news(500)) == 1


def test_without_plain_the_login_command_is_used(serve):
    server, box = serve(capabilities="MOVE", password='p\\w"', login="returns:p%5Cw%22")
    server.put(about(sent_to()))
    assert len(box.collect_news(500)) == 1
    assert any(each.startswith("LOGIN ") for each in server.commands)


@pytest.mark.parametrize(("scheme", "at_once"), [("imaps", True), ("imap+tls", False)])
def test_tls_is_verified(serve, certificate, scheme, at_once):
    server, box = serve(scheme=scheme, options=f"?ca={certificate}", certificate=certificate, at_once=at_once)
    server.put(about(sent_to()))
    assert len(box.collect_news(500)) == 1
    _, distrusting = serve(scheme=scheme, certificate=certificate, at_once=at_once)
    with pytest.raises(NewsAway, match="certificate is not trusted"):
        distrusting.collect_news(500)


def test_without_starttls_no_password_is_sent(serve):
    server, box = serve(scheme="imap+tls")
    with pytest.raises(NewsAway, match="does not offer STARTTLS"):
        box.collect_news(500)
    assert not any(each.startswith(("LOGIN", "AUTHENTICATE")) for each in server.commands)


def test_a_wrong_password_is_said_but_not_shown(serve):
    _, box = serve(login="returns:wr0ng-passw0rd")
    with pytest.raises(NewsAway, match="AUTHENTICATIONFAILED") as away:
        box.collect_news(500)
    assert "wr0ng" not in str(away.value)
    assert away.value.__cause__ is None


STEPS = ("CAPABILITY", "AUTHENTICATE", "SELECT", "UID SEARCH", "UID FETCH", "UID MOVE")


@pytest.mark.parametrize(
    ("fault", "command"),
    [
        *((fault, command) for fault in ("bye", "rubbish", "huge") for command in STEPS),
        *(("hang", "SELECT"), ("hang", "UID MOVE"), ("drip", "UID FETCH")),
    ],
)
def test_wherever_it_breaks_off_the_next_look_begins_anew(serve, monkeypatch, fault, command):
    monkeypatch.setattr(bounce_imap, "ANSWER_WITHIN", timedelta(seconds=0.2))
    monkeypatch.setattr(bounce_imap, "LOOK_WITHIN", timedelta(seconds=0.4))
    server, box = serve()
    row = sent_to()
    server.put(about(row))
    server.faults[command] = fault
    with pytest.raises(NewsAway):
        box.confirm_news(box.collect_news(500))
    server.faults.clear()
    monkeypatch.undo()
    news = box.collect_news(500)
    assert [each.notification_id for each in news] == [row.pk]
    box.confirm_news(news)
    assert in_folder(server) == []


def test_a_server_that_turns_us_away_at_once_is_away(serve):
    server, box = serve()
    server.greeting = "* BYE too many connections"
    with pytest.raises(NewsAway):
        box.collect_news(500)


def test_a_server_that_is_not_there_is_away(serve):
    server, box = serve()
    server.stop()
    with pytest.raises(NewsAway, match="Connection refused"):
        box.collect_news(500)


def test_a_mailbox_that_is_not_there_is_said(serve):
    server, box = serve()
    server.folders.clear()
    with pytest.raises(NewsAway, match="no such mailbox"):
        box.collect_news(500)
