"""A folder into which a mail server delivers what came back."""

import os
from pathlib import Path

import pytest

from channels_email import bounce_boxes
from channels_email.bounce_boxes import BounceFolder
from channels_email.bounces import NoBounce
from channels_email.mail_parts import LARGEST_MAIL
from channels_email.return_address import read_bounce_domain, return_address
from gateway.channel_contract import EventType, NewsAway
from gateway.tracking import record_news
from tests.channels_email import bounce_mails as mails
from tests.channels_email.bounce_scene import ANN, ended, sent_to

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def domain(settings):
    settings.BOUNCE_DOMAIN = read_bounce_domain("bounces.example.com")


@pytest.fixture
def folder(tmp_path):
    for each in ("new", "cur", "tmp"):
        (tmp_path / each).mkdir()
    return tmp_path


@pytest.fixture
def box(folder):
    return BounceFolder(folder)


def deliver(folder: Path, content: bytes, name: str = "1795359600.M1P1.host") -> None:
    (folder / "new" / name).write_bytes(content)


def names(folder: Path, where: str) -> list[str]:
    return sorted(each.name for each in (folder / where).iterdir())


def about(row, written=mails.postfix) -> bytes:
    return written(return_address(row.pk), ANN, row.message_id)


def test_a_bounce_stays_until_it_is_recorded(folder, box):
    row = sent_to()
    deliver(folder, about(row))
    news = box.collect_news(500)
    assert [each.type for each in news] == [EventType.BOUNCED]
    assert names(folder, "new") == ["1795359600.M1P1.host"]
    record_news(news)
    box.confirm_news(news)
    assert (names(folder, "new"), names(folder, "cur")) == ([], ["1795359600.M1P1.host:2,S"])
    assert ended(row)[0] == "bounced"
    assert box.collect_news(500) == []


def test_what_is_no_bounce_is_flagged_for_people(folder, box):
    row = sent_to()
    deliver(folder, about(row, mails.a_human), "1")
    deliver(folder, b"rubbish", "2:2,")
    deliver(folder, about(row), "3")
    news = box.collect_news(500)
    assert names(folder, "cur") == ["1:2,F", "2:2,F"]
    box.confirm_news(news)
    assert names(folder, "cur") == ["1:2,F", "2:2,F", "3:2,S"]


def test_two_mails_with_the_same_news_are_put_away_together(folder, box):
    row = sent_to()
    for name in ("1", "2"):
        deliver(folder, about(row), name)
    news = box.collect_news(500)
    assert len(news) == 1
    box.confirm_news(news)
    assert names(folder, "cur") == ["1:2,S", "2:2,S"]


def test_only_plain_files_are_read(folder, box, tmp_path):
    os.mkfifo(folder / "new" / "fifo")
    (folder / "new" / "folder").mkdir()
    (folder / "new" / "link").symlink_to("/etc/passwd")
    (folder / "new" / ".hidden").write_bytes(b"x")
    assert box.collect_news(500) == []
    assert names(folder, "cur") == []


def test_what_is_no_plain_file_does_not_stand_in_the_way_of_mails(folder, box):
    for number in range(3):
        (folder / "new" / f"{number}").mkdir()
    deliver(folder, about(sent_to()))
    assert len(box.collect_news(3)) == 1


def test_once_there_is_enough_no_further_mail_is_read(folder, box, monkeypatch):
    monkeypatch.setattr(bounce_boxes, "MOST_BYTES", 1000)
    for number in range(3):
        deliver(folder, b"Subject: Hi\n\n" + b"x" * 600, str(number))
    read = []
    monkeypatch.setattr(bounce_boxes, "_content", lambda path: read.append(path.name) or path.read_bytes())
    assert [seen.name for seen in box.look(500)] == ["0", "1"]
    assert read == ["0", "1"]


def test_of_a_very_large_file_only_the_beginning_is_read(folder, box):
    with (folder / "new" / "1").open("wb") as file:
        file.truncate(LARGEST_MAIL * 50)
    assert box.collect_news(500) == []
    assert names(folder, "cur") == ["1:2,F"]


def test_what_somebody_else_has_taken_is_no_trouble(folder, box):
    row = sent_to()
    deliver(folder, about(row))
    news = box.collect_news(500)
    (folder / "new" / "1795359600.M1P1.host").unlink()
    box.confirm_news(news)
    assert names(folder, "cur") == []


def test_a_folder_that_is_not_there_is_said_with_its_name(tmp_path):
    with pytest.raises(NewsAway, match=r"BOUNCE_MAILDIR cannot be read: No such file or directory: .*/nowhere/new"):
        BounceFolder(tmp_path / "nowhere").collect_news(500)


def test_a_look_changes_nothing(folder, box):
    row = sent_to()
    deliver(folder, about(row), "1")
    deliver(folder, about(row, mails.out_of_office), "2")
    seen = box.look(500)
    assert [each.name for each in seen] == ["1", "2"]
    assert seen[0].judged.notification_id == row.pk
    assert isinstance(seen[1].judged, NoBounce)
    assert names(folder, "new") == ["1", "2"]
