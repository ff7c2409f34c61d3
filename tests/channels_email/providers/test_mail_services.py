"""Every mail service over real connections: what leaves, what its answers mean, and what is not handed over."""

import json
from base64 import b64decode, b64encode
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from botocore.exceptions import NoCredentialsError

from channels_email.mail_services import MAIL_SERVICES
from channels_email.service_answers.tables import answers_of
from channels_email.standins.all_of_them import MAIL_STANDINS
from channels_email.standins.mailgun import UNKNOWN_DOMAIN
from gateway.channel_contract import CheckedProvider, FileAway, Outcome, OutgoingFile, ProviderAway
from gateway.standin_server import Given
from tests.channels_email.service_scene import a_mail, asking, send, use

T, P, M, U, S = Outcome.TRANSIENT, Outcome.PERMANENT, Outcome.MISCONFIGURED, Outcome.UNKNOWN, Outcome.THROTTLED


@pytest.fixture(params=MAIL_STANDINS)
def server(request):
    with MAIL_STANDINS[request.param]() as server:
        yield server


@pytest.fixture
def provider(settings, server):
    provider = use(settings, server)
    yield provider
    provider.close()


@pytest.fixture
def one(request, settings):
    """One service by name, for what it has of its own."""
    opened = []

    def open_one(name, **other):
        server = MAIL_STANDINS[name]().start()
        provider = use(settings, server, **other)
        opened.append((server, provider))
        return server, provider

    yield open_one
    for server, provider in opened:
        provider.close()
        server.stop()


def the_mail(server):
    """What arrived, in one form for all services: subject, from, to, text, html, headers, metadata."""
    (taken,) = server.accepted
    whole = taken["whole"]
    match server.name:
        case "sendgrid":
            headers, metadata = whole["headers"], whole["custom_args"]
            parts = {each["type"]: each["value"] for each in whole["content"]}
            addresses = whole["from"]["email"], whole["personalizations"][0]["to"][0]
            return headers, metadata, parts["text/plain"], parts["text/html"], addresses
        case "mailgun":
            headers = {name[2:]: value[0] for name, value in whole.items() if name.startswith("h:")}
            metadata = {name[2:]: value[0] for name, value in whole.items() if name.startswith("v:")}
            return headers, metadata, whole["text"][0], whole["html"][0], (whole["from"][0], whole["to"][0])
        case "postmark":
            headers = {each["Name"]: each["Value"] for each in whole["Headers"]}
            return headers, whole["Metadata"], whole["TextBody"], whole["HtmlBody"], (whole["From"], whole["To"])
        case "brevo":
            metadata = json.loads(whole["headers"]["X-Mailin-custom"])
            addresses = whole["sender"]["email"], whole["to"][0]
            return whole["headers"], metadata, whole["textContent"], whole["htmlContent"], addresses
        case "resend":
            metadata = json.loads(whole["headers"]["X-Metadata"])
            return whole["headers"], metadata, whole["text"], whole["html"], (whole["from"], whole["to"][0])
        case _:
            mail = message_from_bytes(b64decode(whole["Content"]["Raw"]["Data"]), policy=policy.default)
            parts = [mail.get_body((kind,)).get_content().replace("\r\n", "\n") for kind in ("plain", "html")]
            return dict(mail.items()), json.loads(mail["X-Metadata"]), *parts, (mail["From"], mail["To"])


def test_every_service_is_given_the_whole_mail_and_names_it(provider, server):
    mail = a_mail()
    (result,) = send(provider, mail)
    assert (result.outcome, result.error_code) == (Outcome.ACCEPTED, "")
    assert len(result.provider_message_id) > 10
    headers, metadata, text, html, (sender, to) = the_mail(server)
    headers = {name.lower(): value for name, value in headers.items()}
    assert server.accepted[0]["to"] == "ann@example.com"
    assert metadata == {"notification_id": str(mail.notification_id)}
    assert (text.strip(), html.strip()) == ("Hello Ann", "<p>Hello <b>Ann</b></p>")
    assert "shop@mail.example" in str(sender)
    assert "Ann Lee" in str(to)
    assert headers["x-notification-id"] == str(mail.notification_id)
    assert headers["auto-submitted"] == "auto-generated"
    assert headers["content-language"] == "de"
    assert headers["list-unsubscribe"] == "<https://notify.example.com/u/abc>"
    assert headers["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    kept = provider.service.keeps_message_id or server.name == "amazon_ses"
    assert headers.get("message-id") == (f"<{mail.message_id}@mail.example>" if kept else None)


def a_file(**fields) -> OutgoingFile:
    usual = {"filename": "invoice.pdf", "content_type": "application/pdf", "read": lambda: b"%PDF your invoice"}
    return OutgoingFile(**(usual | {"size": 17} | fields))


def all_of_it(server) -> str:
    """What arrived, to look for something in it."""
    whole = server.accepted[0]["whole"]
    return b64decode(whole["Content"]["Raw"]["Data"]).decode() if server.name == "amazon_ses" else json.dumps(whole)


def test_attachments_go_with_the_mail(provider, server):
    (result,) = send(provider, replace(a_mail(), files=(a_file(),)))
    assert result.outcome is Outcome.ACCEPTED
    assert "invoice.pdf" in all_of_it(server)
    if server.name != "mailgun":  # of files in a form the stand-in keeps the names
        assert b64encode(b"%PDF your invoice").decode() in all_of_it(server)


def test_images_inside_a_mail_go_with_it_where_the_service_knows_them(provider, server):
    logo = a_file(filename="logo.png", content_type="image/png", content_id="logo", read=lambda: b"\x89PNG")
    (result,) = send(provider, replace(a_mail(), files=(logo,)))
    if server.name == "brevo":
        assert (result.outcome, result.error_code) == (P, "not_supported")
    else:
        assert result.outcome is Outcome.ACCEPTED
        assert "logo" in all_of_it(server)


def test_a_file_that_is_away_holds_up_its_own_mail_alone(provider, server):
    def away() -> bytes:
        raise FileAway("The database is away.", outcome=T)

    later, fine = send(provider, replace(a_mail(), files=(a_file(read=away),)), a_mail())
    assert (later.outcome, later.error_code, fine.outcome) == (T, "attachment_away", Outcome.ACCEPTED)
    assert server.accepted_count == 1


@pytest.mark.parametrize("name", ["sendgrid", "mailgun", "postmark"])
def test_opens_and_clicks_are_not_tracked_where_one_may_say_so(one, name):
    server, provider = one(name)
    send(provider, a_mail())
    whole = server.accepted[0]["whole"]
    wish = {
        "sendgrid": lambda: [
            whole["tracking_settings"][each]["enable"] for each in ("click_tracking", "open_tracking")
        ],
        "mailgun": lambda: [whole["o:tracking-opens"], whole["o:tracking-clicks"]],
        "postmark": lambda: [whole["TrackOpens"], whole["TrackLinks"]],
    }
    unwanted = {"sendgrid": [False, False], "mailgun": [["no"], ["no"]], "postmark": [False, "None"]}
    assert wish[name]() == unwanted[name]


def test_a_mail_of_text_or_of_html_alone_goes_out(provider, server):
    assert [each.outcome for each in send(provider, a_mail(html=""), a_mail(text=""))] == [Outcome.ACCEPTED] * 2


def test_a_domain_with_letters_beyond_ascii_travels_in_ascii(provider, server):
    (result,) = send(provider, a_mail("Änne <anne@bücher.example>", sender="Söhne <shop@söhne.example>"))
    assert result.outcome is Outcome.ACCEPTED
    assert server.accepted[0]["to"] == "anne@xn--bcher-kva.example"
    assert "söhne.example" not in json.dumps(server.accepted[0], ensure_ascii=False)


def test_an_address_that_a_service_cannot_take_does_not_go_out(provider, server):
    strange, fine = send(provider, a_mail("jörg@example.com"), a_mail())
    if provider.service.takes_utf8_address:
        assert strange.outcome is Outcome.ACCEPTED
    else:
        assert (strange.outcome, strange.error_code) == (P, "address_not_supported")
        assert server.accepted_count == 1
    assert fine.outcome is Outcome.ACCEPTED


def test_what_is_no_mail_does_not_go_out(provider, server):
    half = "half of a letter: \ud800"
    results = send(provider, a_mail("nobody"), a_mail(subject=half), a_mail(text=half), a_mail())
    assert [each.error_code for each in results] == ["not_a_mail", "not_a_mail", "not_a_mail", ""]
    assert server.accepted_count == 1


#: What a receiver asks for → what is to be said of it. `concerns_all` where it is our mistake.
MEANINGS = {
    "sendgrid": {
        "400": (P, "message_refused"),
        "address": (P, "address_refused"),
        "401": (M, "access_refused"),
        "credits": (M, "account_stopped"),
        "sender": (M, "sender_refused"),
        "403": (M, "access_refused"),
        "413": (P, "payload_too_large"),
        "429": (S, "too_fast"),
    },
    "mailgun": {
        "400": (P, "message_refused"),
        "address": (P, "address_refused"),
        "401": (M, "access_refused"),
        "sandbox": (M, "receiver_not_allowed"),
        "disabled": (M, "account_stopped"),
        "402": (M, "account_stopped"),
        "404": (M, "domain_unknown"),
        "413": (P, "payload_too_large"),
        "quota": (S, "quota_used_up"),
        "429": (S, "too_fast"),
    },
    "amazon_ses": {
        "400": (P, "message_refused"),
        "address": (P, "address_refused"),
        "large": (P, "payload_too_large"),
        "rejected": (P, "message_refused"),
        "sandbox": (M, "receiver_not_allowed"),
        "sender": (M, "sender_refused"),
        "suspended": (M, "account_stopped"),
        "paused": (M, "account_stopped"),
        "set": (M, "configuration_set_unknown"),
        "401": (M, "access_refused"),
        "signature": (M, "access_refused"),
        "clock": (M, "clock_wrong"),
        "403": (M, "access_denied"),
        "413": (P, "payload_too_large"),
        "429": (S, "too_fast"),
        "quota": (S, "quota_used_up"),
        "limit": (S, "quota_used_up"),
    },
    "postmark": {
        "401": (M, "access_refused"),
        "maintenance": (T, "service_trouble"),
        "address": (P, "address_refused"),
        "from": (M, "sender_refused"),
        "300": (P, "message_refused"),
        "sender": (M, "sender_refused"),
        "unconfirmed": (M, "sender_refused"),
        "405": (M, "account_stopped"),
        "suppressed": (P, "address_suppressed"),
        "pending": (M, "receiver_not_allowed"),
        "disabled": (M, "account_stopped"),
        "stream": (M, "stream_unknown"),
        "403": (T, "blocked_before_service"),
        "413": (P, "payload_too_large"),
        "429": (S, "too_fast"),
    },
    "brevo": {
        "400": (P, "message_refused"),
        "missing": (P, "message_refused"),
        "address": (P, "address_refused"),
        "sender": (M, "sender_refused"),
        "401": (M, "access_refused"),
        "credits": (M, "account_stopped"),
        "not_active": (M, "account_stopped"),
        "validation": (M, "account_stopped"),
        "413": (P, "payload_too_large"),
        "429": (S, "too_fast"),
    },
    "resend": {
        "400": (P, "message_refused"),
        "address": (P, "address_refused"),
        "from": (M, "sender_refused"),
        "422": (P, "message_refused"),
        "attachment": (P, "message_refused"),
        "missing": (M, "access_refused"),
        "401": (M, "access_refused"),
        "403": (M, "access_refused"),
        "sandbox": (M, "receiver_not_allowed"),
        "sender": (M, "sender_refused"),
        "409": (T, "in_progress"),
        "429": (S, "too_fast"),
        "quota": (S, "quota_used_up"),
        "451": (M, "account_stopped"),
    },
}
#: The same for all of them.
ALWAYS = {
    "500": (T, "service_trouble"),
    "502": (T, "service_trouble"),
    "503": (T, "service_trouble"),
    "504": (U, "no_answer"),
    "418": (T, "unknown_answer"),
    "reset": (U, "no_answer"),
    "half": (U, "no_answer"),
    "lost": (U, "no_answer"),
}


@pytest.mark.parametrize("name", MAIL_STANDINS)
def test_every_answer_means_what_it_says(one, name):
    _, provider = one(name)
    wanted = MEANINGS[name] | ALWAYS
    if name == "sendgrid":
        del wanted["half"]  # all it says is the status, in the first line
    results = dict(zip(wanted, send(provider, *(asking(each) for each in wanted)), strict=True))
    found = {each: (result.outcome, result.error_code) for each, result in results.items()}
    assert found == wanted
    for each, result in results.items():
        assert result.detail, each
        if result.outcome is M:
            assert result.concerns_all is (result.error_code != "receiver_not_allowed")
    assert send(provider, a_mail())[0].outcome is Outcome.ACCEPTED


@pytest.mark.parametrize("name", MAIL_STANDINS)
def test_every_answer_the_stand_in_knows_is_held_against_the_table(name):
    assert set(MAIL_STANDINS[name].answers) <= {"429-reset", *MEANINGS[name], *ALWAYS}


@pytest.mark.parametrize(
    ("name", "answer", "seconds"),
    [
        ("sendgrid", "429", 7),
        ("mailgun", "429", 7),
        ("postmark", "429", 7),
        ("brevo", "429", 7),
        ("resend", "429-reset", 3),
    ],
)
def test_a_service_that_wants_to_be_left_alone_says_for_how_long(one, name, answer, seconds):
    _, provider = one(name)
    (result,) = send(provider, asking(answer))
    assert (result.outcome, result.retry_after) == (S, timedelta(seconds=seconds))


def test_the_moment_at_which_a_limit_ends_is_a_wait_too(one):
    _, provider = one("sendgrid")
    (result,) = send(provider, asking("429-reset"))
    assert result.retry_after > timedelta(days=1)


def test_an_address_the_service_has_blocked_is_blocked_here_too(one):
    _, provider = one("postmark")
    (result,) = send(provider, asking("suppressed"))
    assert (result.reason, result.provider_code) == ("address_suppressed", "422 406")
    assert "nobody@example.com" not in result.detail


def test_a_wrong_key_is_our_mistake_and_a_new_one_is_used_at_the_next_batch(provider, server, settings):
    right = dict(server.exports())
    (key,) = [name for name in right if right[name] == server.key]
    setattr(settings, key, "wrong")
    (result,) = send(provider, a_mail())
    assert (result.outcome, result.error_code) == (M, "access_refused")
    assert key in result.detail
    setattr(settings, key, server.key)
    assert send(provider, a_mail())[0].outcome is Outcome.ACCEPTED


def test_without_key_or_service_nothing_is_handed_over(provider, server, settings):
    server.stop()
    with pytest.raises(ProviderAway) as away:
        provider.connect()
    assert away.value.outcome is T
    needed = [each.setting for each in provider.service.fields if each.is_needed and not each.setting.endswith("_URL")]
    for name in needed:
        setattr(settings, name, "")
    with pytest.raises(ProviderAway, match=" and ".join(needed)) as away:
        provider.connect()
    assert away.value.outcome is M


def test_connections_are_kept(provider, server):
    for _ in range(3):
        send(provider, a_mail())
    assert server.connection_count == 1


def test_many_mails_are_under_way_at_once_and_every_answer_finds_its_own(provider, server):
    mails = [asking("500") if number % 3 else a_mail(f"a{number}@example.com") for number in range(40)]
    results = send(provider, *mails)
    assert [each.outcome for each in results] == [T if number % 3 else Outcome.ACCEPTED for number in range(40)]
    assert {each["to"] for each in server.accepted} == {mail.to for mail in mails if not mail.to.startswith("ask-")}
    assert 1 < server.connection_count <= 16


def test_the_key_is_tried_without_sending(provider, server, settings):
    assert isinstance(provider, CheckedProvider)
    assert provider.check("").outcome is Outcome.ACCEPTED
    assert server.accepted_count == 0
    (key,) = [name for name, value in server.exports().items() if value == server.key]
    setattr(settings, key, "wrong")
    refused = provider.check("")
    assert (refused.outcome, refused.error_code) == (M, "access_refused")


def test_with_an_address_a_test_mail_is_sent(provider, server):
    assert provider.check("ann@example.com").outcome is Outcome.ACCEPTED
    assert server.accepted[0]["to"] == "ann@example.com"
    assert server.accepted[0]["subject"].startswith("Test of")


def test_a_key_that_may_only_send_is_good_enough(one, settings):
    server, provider = one("resend")
    server.sending_key = settings.RESEND_API_KEY = "re_only_sending"
    assert provider.check("").outcome is Outcome.ACCEPTED
    assert send(provider, a_mail())[0].outcome is Outcome.ACCEPTED


def test_a_key_that_may_not_send_is_found_out_without_sending(one, monkeypatch):
    server, provider = one("sendgrid")
    monkeypatch.setattr(server, "about", lambda: Given(200, {"scopes": ["alerts.read"]}))
    assert provider.check("").error_code == "access_refused"


def test_a_domain_that_mailgun_does_not_know_is_our_mistake(one):
    _, provider = one("mailgun", MAILGUN_SENDER_DOMAIN=UNKNOWN_DOMAIN)
    assert provider.check("").error_code == "domain_unknown"


def test_without_a_domain_mailgun_gets_that_of_the_sender(one):
    server, provider = one("mailgun", MAILGUN_SENDER_DOMAIN="")
    assert send(provider, a_mail())[0].outcome is Outcome.ACCEPTED
    send(provider, a_mail(sender=f"shop@{UNKNOWN_DOMAIN}"))
    assert server.accepted_count == 1


def test_resend_gives_a_repeated_mail_the_same_answer(one):
    _, provider = one("resend")
    mail = a_mail()
    first, second = send(provider, mail) + send(provider, mail)
    assert first.provider_message_id == second.provider_message_id
    (other,) = send(provider, a_mail(notification_id=mail.notification_id, text="Other words"))
    assert (other.outcome, other.error_code) == (U, "had_before")


def test_brevo_does_not_say_what_became_of_a_repeated_mail(one):
    _, provider = one("brevo")
    mail = a_mail()
    send(provider, mail)
    (again,) = send(provider, mail)
    assert (again.outcome, again.error_code) == (U, "had_before")


def test_amazon_gets_the_configuration_set_whose_events_come_to_us(one):
    server, provider = one("amazon_ses", AMAZON_SES_CONFIGURATION_SET="events")
    send(provider, a_mail())
    assert server.accepted[0]["whole"]["ConfigurationSetName"] == "events"


def test_amazon_whose_signature_cannot_be_made_any_more_is_handed_nothing(one, monkeypatch):
    server, provider = one("amazon_ses")
    provider.connect()

    def run_out(request):
        raise NoCredentialsError

    monkeypatch.setattr(provider._signer, "add_auth", run_out)
    results = list(provider.send([a_mail(), a_mail()]))
    assert [(each.outcome, each.error_code) for each in results] == [(T, "not_handed_over")] * 2
    assert server.accepted_count == 0


def test_amazon_without_a_key_of_ours_asks_the_machine(one, settings, monkeypatch):
    server, provider = one("amazon_ses", AMAZON_SES_ACCESS_KEY_ID="")
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/none")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/none")
    with pytest.raises(ProviderAway, match="no key") as away:
        provider.connect()
    assert away.value.outcome is M
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", server.key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert send(provider, a_mail())[0].outcome is Outcome.ACCEPTED


def test_news_is_waited_for_only_where_it_is_let_in(provider, settings):
    settings.PROVIDER_WEBHOOK_SECRET = ""
    assert not provider.reports_delivery
    settings.PROVIDER_WEBHOOK_SECRET = "us:secret"
    assert provider.reports_delivery


def test_our_mistakes_come_with_a_remedy():
    rows = [row for name in MAIL_SERVICES for row in answers_of(name).rows]
    assert all(row.meaning.remedy for row in rows if row.meaning.outcome is M)


def test_an_answer_that_is_nested_without_end_is_one_we_do_not_know(provider, server, monkeypatch):
    monkeypatch.setattr(server, "answer", lambda asked: Given(200, b"[" * 60_000))
    (result,) = send(provider, a_mail())
    assert result.error_code == ("" if server.name == "sendgrid" else "unknown_answer")  # its yes has no body to read
    monkeypatch.setattr(server, "answer", lambda asked: Given(418, b"[" * 60_000))
    (result,) = send(provider, a_mail())
    assert result.error_code == "unknown_answer"
