"""A mail that came back moves its notification, and blocks the address only where that is proved."""

import pytest

from channels_email.bounce_intake import IncomingMail, judge, take_in
from channels_email.bounces import NoBounce, Why
from channels_email.return_address import read_bounce_domain, return_address
from gateway.channel_contract import EventType
from gateway.explanation import timeline
from gateway.models import Notification, ProviderEvent
from gateway.statuses import Status
from tests.channels_email import bounce_mails as mails
from tests.channels_email.bounce_scene import ANN, blocked, ended, sent_to
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def domain(settings):
    settings.BOUNCE_DOMAIN = read_bounce_domain("bounces.example.com")


def back(notification, written=mails.postfix, *, person=ANN, to=None, **how):
    """It comes back."""
    to = return_address(notification.pk) if to is None else to
    return take_in(IncomingMail(content=written(to, person, notification.message_id, **how)))


def test_a_hard_bounce_ends_the_notification_and_blocks_the_address():
    row = sent_to()
    assert back(row).type is EventType.BOUNCED
    assert ended(row) == (Status.BOUNCED, "mailbox_unknown")
    assert blocked() == ["hard_bounce"]
    last = timeline(Notification.objects.get(pk=row.pk))[-1]
    assert last.sentence == (
        "The mail server says there is no such mailbox (550 5.1.1). It said: 550 5.1.1 <a••@example.com>: "
        "Recipient address rejected: User unknown in virtual mailbox table"
    )


def test_a_repeat_by_another_way_does_nothing():
    row = sent_to()
    to = return_address(row.pk)
    raw = mails.postfix(to, ANN, row.message_id)
    take_in(IncomingMail(content=raw))
    before = Notification.objects.values().get(pk=row.pk)
    take_in(IncomingMail(content=b"Delivered-To: " + to.encode() + b"\n" + raw, recipient=to.upper()))
    assert Notification.objects.values().get(pk=row.pk) == before
    assert ProviderEvent.objects.count() == 1


def test_a_delay_is_only_told():
    row = sent_to()
    back(row, mails.postfix_delayed)
    assert ended(row)[0] == Status.SENT
    assert blocked() == []
    assert "still tries" in timeline(row)[-1].sentence


def test_a_full_mailbox_blocks_at_the_fifth():
    person = UserFactory(email=ANN)
    rows = [sent_to(person) for _ in range(5)]
    for row in rows[:4]:
        back(row, mails.sendmail)
    assert ended(rows[0]) == (Status.BOUNCED, "mailbox_full")
    assert blocked() == []
    back(rows[4], mails.sendmail)
    assert blocked() == ["hard_bounce"]


def test_refused_content_never_blocks():
    person = UserFactory(email=ANN)
    for row in [sent_to(person) for _ in range(6)]:
        back(row, status="5.7.1", said="554 5.7.1 Spam")
        assert ended(row) == (Status.BOUNCED, "rejected_content")
    assert blocked() == []


def test_our_own_trouble_never_blocks_the_person():
    person = UserFactory(email=ANN)
    for row in [sent_to(person) for _ in range(6)]:
        back(row, status="5.1.8", said="553 5.1.8 Sender address rejected")
        assert ended(row) == (Status.BOUNCED, "bounced")
    assert blocked() == []


@pytest.mark.parametrize("written", [mails.yahoo_complaint, mails.aol_complaint])
def test_a_complaint_marks_the_notification_and_blocks_the_address(written):
    row = sent_to()
    back(row, written)
    assert Notification.objects.get(pk=row.pk).complained
    assert ended(row)[0] == Status.SENT
    assert blocked() == ["complaint"]


def test_a_report_of_delivery_confirms():
    row = sent_to()
    back(row, action="delivered", status="2.0.0", said="250 2.0.0 Ok")
    assert ended(row)[0] == Status.DELIVERED


def test_what_bounced_elsewhere_is_news_but_blocks_nobody():
    person = UserFactory(email=ANN)
    for row in [sent_to(person) for _ in range(6)]:
        back(row, person="ann.lee@forwarded.example")
        assert ended(row) == (Status.BOUNCED, "bounced")
    assert blocked() == []
    assert "another address" in timeline(Notification.objects.get(pk=row.pk))[-1].sentence


def test_of_many_recipients_only_ours_counts():
    row = sent_to()
    back(row, mails.many_recipients)
    assert ended(row) == (Status.BOUNCED, "mailbox_unknown")


@pytest.mark.parametrize("written", [mails.postfix, mails.sendmail, mails.yahoo_complaint])
def test_a_claim_without_our_seal_blocks_nobody_however_often(written):
    person = UserFactory(email=ANN)
    for row in [sent_to(person) for _ in range(6)]:
        back(row, written, to="shop@mail.example")
    assert blocked() == []


def test_a_claim_without_our_seal_is_told_all_the_same():
    row = sent_to()
    back(row, to="shop@mail.example")
    assert ended(row) == (Status.BOUNCED, "bounced")


def test_a_claim_without_our_seal_proves_no_delivery():
    row = sent_to()
    answer = back(row, to="shop@mail.example", action="delivered", status="2.0.0")
    assert answer.why is Why.NOT_OURS
    assert ended(row)[0] == Status.SENT


def test_the_seal_of_one_mail_says_nothing_of_another():
    """Ann shows what she has, and claims Bea's mail: the sealed one counts."""
    hers, others = sent_to(), sent_to(UserFactory(email="bea@example.com"))
    take_in(IncomingMail(content=mails.postfix(return_address(hers.pk), "bea@example.com", others.message_id)))
    assert ended(others)[0] == Status.SENT
    assert blocked() == []


def test_letters_and_ways_of_writing_a_domain_do_not_matter():
    row = sent_to(UserFactory(email="Ann@bücher.example"))
    back(row, person="ANN@xn--bcher-kva.example")
    assert ended(row) == (Status.BOUNCED, "mailbox_unknown")
    assert blocked() == ["hard_bounce"]


def test_a_notification_that_is_no_longer_kept_is_no_trouble():
    row = sent_to()
    to, message_id = return_address(row.pk), row.message_id
    Notification.objects.filter(pk=row.pk).delete()
    raw = mails.postfix(to, ANN, message_id)
    assert take_in(IncomingMail(content=raw)).type is EventType.BOUNCED
    assert take_in(IncomingMail(content=mails.postfix("x@mail.example", ANN, message_id))).why is Why.NOT_OURS
    assert not ProviderEvent.objects.exists()


def test_a_bounce_that_overtakes_our_own_record_counts_when_that_is_there():
    row = sent_to(status=Status.SENDING)
    back(row)
    assert ended(row)[0] == Status.SENDING
    assert blocked() == ["hard_bounce"]


def test_many_mails_are_judged_with_one_query(django_assert_num_queries):
    rows = [sent_to(UserFactory()) for _ in range(5)]
    incoming = [
        IncomingMail(content=mails.postfix(return_address(row.pk), row.user.email, row.message_id)) for row in rows
    ]
    with django_assert_num_queries(1):
        judged = judge(incoming)
    assert [each.notification_id for each in judged] == [row.pk for row in rows]
    assert all(each.is_about_address for each in judged)


def test_what_is_no_bounce_touches_no_row(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert take_in(IncomingMail(content=mails.a_human("b@x.example", ANN, "x"))) == NoBounce(Why.NO_BOUNCE)
