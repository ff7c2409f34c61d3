"""The address of a mailbox, read once."""

import pytest

from channels_email.imap_server import ImapSecurity, read_imap_server
from channels_email.mail_server import WrongMailServer


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("imaps://ann:pw@mail.example.com/INBOX", "imaps://mail.example.com:993/INBOX"),
        ("imaps://ann:pw@mail.example.com", "imaps://mail.example.com:993/INBOX"),
        ("imap+tls://ann:pw@mail.example.com/Bounces", "imap+tls://mail.example.com:143/Bounces"),
        ("imap://ann:pw@127.0.0.1:1143/INBOX/From%20us", "imap://127.0.0.1:1143/INBOX/From us"),
    ],
)
def test_an_address_is_read_and_shown_without_its_password(url, shown):
    server = read_imap_server(url)
    assert str(server) == shown
    assert "pw" not in repr(server)
    assert (server.user, server.password) == ("ann", "pw")


def test_signs_in_names_and_passwords_are_decoded():
    server = read_imap_server("imaps://ann%40example.com:p%2Fw%23@mail.example.com")
    assert (server.user, server.password, server.security) == ("ann@example.com", "p/w#", ImapSecurity.TLS)


def test_nothing_is_no_mailbox():
    assert read_imap_server("") is None


@pytest.mark.parametrize(
    "url",
    [
        "pop3://ann:s3cret@mail.example.com",
        "imaps://mail.example.com",
        "imaps://ann@mail.example.com",
        "imaps://ann:s3cret@",
        "imaps://ann:s3cret@mail.example.com:0",
        "imaps://ann:s3cret@mail.example.com:x",
        "imaps://ann:s3cret@mail.example.com/INBOX#a",
        "imaps://ann:s3cret@mail.example.com/INBOX?colour=red",
        "imaps://ann:s3cret@mail.example.com/INBOX?ca=/no/such/file",
        "imaps://ann:s3cret@mail.example.com/Zur%C3%BCck",
        "imaps://ann:s3cret@mail.example.com/a%0D%0Ab",
    ],
)
def test_a_wrong_one_is_refused_without_its_password(url):
    with pytest.raises(WrongMailServer) as refused:
        read_imap_server(url)
    assert "s3cret" not in str(refused.value)
