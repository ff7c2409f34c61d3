"""The mail as it leaves: what django-templated-mail gets wrong by itself, and what a reader of the mail gets."""

import email
import uuid
from email import policy

import pytest

from channels_email import message
from channels_email.message import (
    CANNOT_BE_MADE,
    EmailMessage,
    FramedMail,
    frame,
    make_mail,
    message_id_header,
    not_made,
)
from gateway.channel_contract import FileAway, Outcome, OutgoingFile
from templates_app.rendering import RenderedEmail


def words(**parts: str) -> RenderedEmail:
    defaults = {"subject": "Hello", "preheader": "", "text": "Hello Ann", "html": "<p>Hello Ann</p>"}
    return RenderedEmail(**(defaults | parts))


def a_message(rendered: RenderedEmail | None = None, **fields) -> EmailMessage:
    notification_id = uuid.UUID("0190aaaa-bbbb-7ccc-8ddd-eeeeffff0000")
    defaults = {
        "notification_id": notification_id,
        "message_id": f"n-{notification_id}",
        "to": "Ann Lee <ann@example.com>",
        "sender": "Shop <shop@mail.example>",
        "locale": "en",
        "words": rendered or words(),
    }
    return EmailMessage(**(defaults | fields))


def read(message: EmailMessage) -> email.message.EmailMessage:
    """What a mail program makes of the bytes."""
    return email.message_from_bytes(make_mail(message).content, policy=policy.default)


def part(mail: email.message.EmailMessage, kind: str) -> str:
    return mail.get_body((kind,)).get_content().replace("\r\n", "\n").rstrip("\n")


def test_text_comes_before_html_as_two_forms_of_the_same():
    mail = read(a_message())
    assert mail.get_content_type() == "multipart/alternative"
    assert [each.get_content_type() for each in mail.iter_parts()] == ["text/plain", "text/html"]


def test_the_words_are_framed_as_they_are():
    mail = read(a_message(words(subject="Welcome", text="Hi Ann\n\nBye", html="<p>Hi <b>Ann</b></p>")))
    assert mail["Subject"] == "Welcome"
    assert part(mail, "plain") == "Hi Ann\n\nBye"
    assert part(mail, "html") == "<p>Hi <b>Ann</b></p>"


def test_nothing_is_escaped_a_second_time():
    mail = read(
        a_message(words(subject="O'Brien & Söhne <3", text="O'Brien & Co. <b>", html="<p>O&#x27;Brien &amp; Co.</p>"))
    )
    assert mail["Subject"] == "O'Brien & Söhne <3"
    assert part(mail, "plain") == "O'Brien & Co. <b>"
    assert part(mail, "html") == "<p>O&#x27;Brien &amp; Co.</p>"


def test_words_that_look_like_template_tags_stay_words():
    mail = read(a_message(words(subject="{{ x }}", text="{% now %} {# no #} {{ settings.SECRET_KEY }}")))
    assert mail["Subject"] == "{{ x }}"
    assert part(mail, "plain") == "{% now %} {# no #} {{ settings.SECRET_KEY }}"


def test_rendering_twice_attaches_the_html_once():
    mail = FramedMail(context={"subject": "s", "text": "t", "html": "<p>"})
    mail.render()
    mail.render()
    assert len(mail.alternatives) == 1


def test_a_line_break_in_the_subject_becomes_a_space():
    mail = read(a_message(words(subject="Hello\r\nBcc: everybody@example.com")))
    assert mail["Subject"] == "Hello Bcc: everybody@example.com"
    assert mail["Bcc"] is None


@pytest.mark.parametrize(
    "sentence",
    ["Grüße an Jürgen – schöne Straße", "مرحبا بك، هذا اختبار", "こんにちは、世界", "Emoji 🎉 und € und ½", "Ω" * 2000],
)
def test_every_language_survives_the_way(sentence):
    subject = sentence[:200]
    mail = read(a_message(words(subject=subject, text=sentence, html=f"<p>{sentence}</p>")))
    assert mail["Subject"] == subject
    assert part(mail, "plain") == sentence
    assert part(mail, "html") == f"<p>{sentence}</p>"


def test_a_line_of_any_length_stays_within_what_mail_servers_take():
    source = make_mail(a_message(words(text="word " * 5000, html="<p>" + "x" * 20_000 + "</p>"))).content
    assert max(len(line) for line in source.splitlines()) <= 998
    mail = email.message_from_bytes(source, policy=policy.default)
    assert part(mail, "html") == "<p>" + "x" * 20_000 + "</p>"


def test_the_message_id_is_the_same_over_all_attempts_and_at_the_senders_domain():
    first, second = read(a_message()), read(a_message())
    assert first["Message-ID"] == second["Message-ID"] == "<n-0190aaaa-bbbb-7ccc-8ddd-eeeeffff0000@mail.example>"


@pytest.mark.parametrize("sender", ["root", "", "Shop"])
def test_a_sender_without_a_domain_still_gives_a_valid_message_id(sender):
    assert message_id_header(a_message(sender=sender)).endswith("@localhost.localdomain>")


def test_headers_say_what_it_is():
    mail = read(a_message(locale="pt-BR"))
    assert mail["X-Notification-ID"] == "0190aaaa-bbbb-7ccc-8ddd-eeeeffff0000"
    assert mail["Content-Language"] == "pt-BR"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["From"] == "Shop <shop@mail.example>"
    assert mail["To"] == "Ann Lee <ann@example.com>"
    assert mail["Date"].datetime


def test_what_mailbox_providers_sort_and_count_by_is_in_the_headers():
    mail = read(
        a_message(
            list_id="Updates <updates.mail.example>",
            feedback_id="welcome:updates:en:mail.example",
            reply_to="Shop <service@mail.example>",
            unsubscribe_url="https://notify.example/unsubscribe/x/",
        )
    )
    assert mail["List-Id"] == "Updates <updates.mail.example>"
    assert mail["Feedback-ID"] == "welcome:updates:en:mail.example"
    assert mail["Reply-To"] == "Shop <service@mail.example>"
    assert mail["List-Unsubscribe"] == "<https://notify.example/unsubscribe/x/>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_what_a_mail_does_not_have_is_no_empty_header():
    assert not {"List-Id", "Feedback-ID", "Reply-To", "List-Unsubscribe"} & set(read(a_message()).keys())


def a_file(read, **fields) -> OutgoingFile:
    return OutgoingFile(**({"filename": "a.pdf", "content_type": "application/pdf", "size": 3, "read": read} | fields))


def test_files_are_read_when_the_mail_is_made():
    asked = []

    def content() -> bytes:
        asked.append(1)
        return b"%PDF"

    message = a_message(files=(a_file(content),))
    assert asked == []
    (attached,) = read(message).iter_attachments()
    assert (attached.get_filename(), attached.get_content()) == ("a.pdf", b"%PDF")


@pytest.mark.parametrize("outcome", [Outcome.TRANSIENT, Outcome.PERMANENT])
def test_a_file_that_cannot_be_had_concerns_this_message_alone(outcome):
    def away() -> bytes:
        raise FileAway("It is not there.", outcome=outcome)

    with pytest.raises(CANNOT_BE_MADE) as raised:
        make_mail(a_message(files=(a_file(away),)))
    assert (not_made(raised.value).outcome, not_made(raised.value).error_code) == (outcome, "attachment_away")


def test_a_mail_without_html_is_plain_text():
    mail = read(a_message(words(html="", text="Only words")))
    assert mail.get_content_type() == "text/plain"
    assert part(mail, "plain") == "Only words"


def test_a_mail_without_text_is_html():
    mail = read(a_message(words(html="<p>Only HTML</p>", text="")))
    assert mail.get_content_type() == "text/html"


@pytest.mark.parametrize("subject", ["Hello\nAnn", "text", "  "])
@pytest.mark.parametrize("text", ["", "  Hello\n", "\ue000html\ue001"])
@pytest.mark.parametrize("html", ["", "<p>{{ x }}</p>\n", " "])
def test_a_shell_that_is_kept_frames_as_the_library_does(subject, text, html):
    mail = FramedMail(context={"subject": subject, "text": text, "html": html})
    mail.render()
    assert frame(a_message(words(subject=subject, text=text, html=html))) == (mail.subject, mail.text, mail.html)


def test_what_the_shell_adds_is_in_every_mail(tmp_path, settings):
    message._shell.cache_clear()
    (tmp_path / "channels_email").mkdir()
    (tmp_path / "channels_email/message.html").write_text(
        "{% block subject %}[text] {{ subject }}{% endblock %}"
        "{% block text_body %}{{ text }} {{ subject }}{% endblock %}"
        "{% block html_body %}<title>{{ subject }}</title>{{ html }}{% endblock %}"
    )
    settings.TEMPLATES = [
        {"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [str(tmp_path)], "APP_DIRS": False}
    ]
    try:
        framed = frame(a_message(words(subject="Hi", text="Bye", html="<p>")))
    finally:
        message._shell.cache_clear()
    assert framed == ("[text] Hi", "Bye Hi", "<title>Hi</title><p>")


def test_the_frame_sees_only_the_words():
    mail = FramedMail(context={"subject": "s"}, to=["ann@example.com"])
    assert mail.get_context_data() == {"subject": "s"}
