"""The inbox of captured e-mails."""

from email.message import EmailMessage

import pytest

from channels_email.models import CapturedEmail
from tests.admin_scene import MOST_QUERIES, owner, page, queries_of, signed_in, staff
from tests.factories import NotificationFactory, PublishedVersionFactory, UserFactory

pytestmark = pytest.mark.django_db

INBOX = "/admin/channels_email/capturedemail/"
DARK = "<style>@media (prefers-color-scheme: dark) { p { color: white } }</style><p>Guten Tag, Ann</p>"


def kept(*, subject="Willkommen", to="Ann <ann@example.com>", html=DARK, text="Guten Tag, Ann", notification=None):
    """A mail as the capture provider keeps it."""
    mail = EmailMessage()
    mail["Subject"], mail["To"], mail["Message-ID"] = subject, to, "<n-1@example.com>"
    mail.set_content(text)
    if html:
        mail.add_alternative(html, subtype="html")
    notification = notification or NotificationFactory()
    return CapturedEmail.objects.create(notification=notification, to=to, subject=subject, source=mail.as_bytes())


@pytest.fixture
def client():
    return signed_in(owner())


def test_the_inbox_shows_the_newest_mail_beside_the_list(client):
    kept(subject="First")
    newest = kept(subject="Second", to="Bo <bo@example.com>")
    text = page(client, INBOX)
    assert text.index("Second") < text.index("First")
    assert f"{INBOX}{newest.pk}/preview/" in text
    assert "Bo &lt;bo@example.com&gt;" in text


def test_a_mail_shows_text_source_and_headers(client):
    text = page(client, f"{INBOX}{kept(subject='Grüße').pk}/change/")
    assert "Guten Tag, Ann" in text
    assert "=?utf-8?" in text  # the source as it left
    assert "Grüße" in text
    assert "&lt;n-1@example.com&gt;" in text


def with_a_file(name="Rechnung für Ann.html", content=b"<script>alert(1)</script>"):
    mail = kept()
    whole = EmailMessage()
    whole["Subject"] = "With a file"
    whole.set_content("Hi")
    whole.add_attachment(content, maintype="text", subtype="html", filename=name)
    CapturedEmail.objects.filter(pk=mail.pk).update(source=whole.as_bytes())
    return mail


def test_files_of_a_mail_can_be_stored_but_are_never_opened_here(client):
    mail = with_a_file()
    path = f"{INBOX}{mail.pk}/preview/files/0/"
    text = page(client, f"{INBOX}{mail.pk}/change/")
    assert path in text
    assert "Rechnung für Ann.html" in text
    response = client.get(path)
    assert response.content == b"<script>alert(1)</script>"
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"].startswith("attachment;")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response["Content-Security-Policy"]
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize("number", [1, 99])
def test_a_file_that_is_not_there_is_not_found(client, number):
    assert client.get(f"{INBOX}{with_a_file().pk}/preview/files/{number}/").status_code == 404


def test_a_mail_leads_to_its_notification(client):
    mail = kept()
    assert f"/admin/gateway/notification/{mail.notification_id}/change/" in page(client, f"{INBOX}{mail.pk}/change/")


def test_a_notification_leads_to_its_mail(client):
    kept()
    mail = kept()
    answer = client.get(f"{INBOX}?notification={mail.notification_id}")
    assert answer.url == f"{INBOX}{mail.pk}/change/"


@pytest.mark.parametrize("notification", ["019a2b7e-1111-7abc-8def-0123456789ab", "rubbish"])
def test_a_notification_without_a_mail_leads_to_the_inbox_and_says_so(client, notification):
    answer = client.get(f"{INBOX}?notification={notification}", follow=True)
    assert "No e-mail of this notification is in the inbox" in answer.content.decode()


@pytest.mark.parametrize("term", ["willk", "ANN@example"])
def test_the_inbox_is_searched_by_subject_and_address(client, term):
    kept()
    kept(subject="Something else", to="bo@example.com")
    text = page(client, f"{INBOX}?q={term}")
    assert "Willkommen" in text
    assert "Something else" not in text


def test_older_mails_stand_on_further_pages(client):
    row = NotificationFactory()
    for number in range(32):
        kept(subject=f"Mail {number:02}", notification=row)
    first = page(client, INBOX)
    assert "Mail 31" in first
    assert "Mail 01" not in first
    older = first.partition("?before=")[2].partition('"')[0]
    second = page(client, f"{INBOX}?before={older}")
    assert "Mail 01" in second
    assert "Mail 31" not in second
    assert "?before=" not in second


def test_the_inbox_asks_little_counts_nothing_and_loads_one_source(client):
    version, person = PublishedVersionFactory(), UserFactory()
    for _ in range(12):
        kept(notification=NotificationFactory(template_version=version, user=person))
    asked = queries_of(client, INBOX)
    assert len(asked) <= MOST_QUERIES
    assert not [sql for sql in asked if "COUNT(" in sql]
    with_source = [sql for sql in asked if '"channels_email_capturedemail"."source"' in sql]
    assert len(with_source) == 1
    assert "LIMIT 1" in with_source[0]


def test_an_empty_inbox_says_how_to_fill_it(client):
    text = page(client, INBOX)
    assert "The inbox is empty" in text
    assert "curl -X POST" in text


def test_a_mail_that_is_gone_leads_back_to_the_inbox(client):
    assert client.get(f"{INBOX}019a2b7e-1111-7abc-8def-0123456789ab/change/").url == INBOX


# --- the frame --------------------------------------------------------------------------------------------------------
def test_the_frame_has_the_mail_under_a_policy_that_runs_nothing(client):
    answer = client.get(f"{INBOX}{kept().pk}/preview/")
    policy = answer["Content-Security-Policy"]
    assert answer.content.decode().strip().endswith("<p>Guten Tag, Ann</p>")
    assert "sandbox" in policy
    assert "script-src" not in policy
    assert "default-src 'none'" in policy
    assert answer["X-Frame-Options"] == "SAMEORIGIN"


def test_foreign_pictures_are_loaded_only_when_asked_for(client):
    address = f"{INBOX}{kept().pk}/preview/"
    assert "img-src data:" in client.get(address)["Content-Security-Policy"]
    assert "https:" in client.get(f"{address}?pictures=yes")["Content-Security-Policy"]


def test_the_frame_shows_the_mail_as_the_chosen_device_would(client):
    address = f"{INBOX}{kept().pk}/preview/"
    assert "@media (min-width: 0)" in client.get(f"{address}?scheme=dark").content.decode()
    assert "@media (max-width: 0)" in client.get(address).content.decode()


def test_the_page_around_the_frame_lets_the_mail_run_nothing(client):
    assert "<iframe" in (text := page(client, f"{INBOX}{kept(html='<script>alert(1)</script>').pk}/change/"))
    assert " sandbox " in text
    assert "<script>alert(1)" not in text


# --- emptying it, and who may ----------------------------------------------------------------------------------------
def test_deleting_all_asks_first(client):
    kept()
    assert "Delete all captured e-mails?" in page(client, f"{INBOX}delete_all/")
    assert CapturedEmail.objects.exists()
    client.post(f"{INBOX}delete_all/")
    assert not CapturedEmail.objects.exists()


def test_who_may_only_look_deletes_nothing():
    onlooker = signed_in(staff("channels_email.view_capturedemail"))
    kept()
    assert "delete_all" not in page(onlooker, INBOX)
    assert onlooker.post(f"{INBOX}delete_all/").status_code == 403
    assert CapturedEmail.objects.exists()


def test_nobody_reads_mail_without_permission():
    outsider, mail = signed_in(staff()), kept()
    for address in (
        INBOX,
        f"{INBOX}?notification={mail.notification_id}",
        f"{INBOX}{mail.pk}/change/",
        f"{INBOX}{mail.pk}/preview/",
    ):
        assert outsider.get(address).status_code == 403
