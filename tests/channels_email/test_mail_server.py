"""What EMAIL_URL may say, and what it is told when it says something else."""

from datetime import timedelta

import pytest

from channels_email.mail_server import Security, WrongMailServer, read_mail_server


@pytest.mark.parametrize(
    ("url", "security", "host", "port"),
    [
        ("smtp://mail.example.com", Security.NONE, "mail.example.com", 25),
        ("smtp+tls://mail.example.com", Security.STARTTLS, "mail.example.com", 587),
        ("smtps://mail.example.com", Security.TLS, "mail.example.com", 465),
        ("SMTP+TLS://mail.example.com:2525/", Security.STARTTLS, "mail.example.com", 2525),
        ("smtp://[::1]:1025", Security.NONE, "::1", 1025),
    ],
)
def test_the_scheme_chooses_the_encryption_and_the_port(url, security, host, port):
    server = read_mail_server(url)
    assert (server.security, server.host, server.port) == (security, host, port)


def test_name_and_password_may_hold_anything():
    server = read_mail_server("smtps://ann%40example.com:p%2Fw%3A%23%3F%40@mail.example.com")
    assert (server.user, server.password) == ("ann@example.com", "p/w:#?@")


def test_options_are_read(tmp_path):
    ca = tmp_path / "ca.pem"
    ca.touch()
    server = read_mail_server(f"smtp://mail.example.com/?timeout=7&ca={ca}&name=web1.example.com")
    assert (server.timeout, server.ca_file, server.name) == (timedelta(seconds=7), str(ca), "web1.example.com")


def test_without_options_a_mail_may_take_half_a_minute():
    assert read_mail_server("smtp://mail.example.com").timeout == timedelta(seconds=30)


def test_a_server_shows_no_password():
    server = read_mail_server("smtps://shop:s3cret@mail.example.com")
    assert "s3cret" not in repr(server) + str(server)
    assert str(server) == "smtps://mail.example.com:465"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mail.example.com:s3cret", "is no address"),
        ("s3cret", "is no address"),
        ("http://u:s3cret@mail.example.com", "begins with 'http'"),
        ("smtp://", "not an address"),
        ("smtp://u:s3cret@", "not an address"),
        ("smtp://u:s3cret/x@mail.example.com", "%2F"),
        ("smtp://u:s3cret@mail.example.com:99999", "not an address"),
        ("smtp://u:s3cret@mail.example.com:0", "not an address"),
        ("smtp://u:s3cret@mail.example.com/inbox", "not an address"),
        ("smtp://u:s3cret@mail.example.com/#x", "not an address"),
        ("smtp://u@mail.example.com", "user without a password"),
        ("smtp://:s3cret@mail.example.com", "password without a user"),
        ("smtp://u:s3cret@mail.example.com/?tls=yes", "'tls'; there are timeout, ca, name"),
        ("smtp://u:s3cret@mail.example.com/?timeout=0", "from 1 to 30"),
        ("smtp://u:s3cret@mail.example.com/?timeout=60", "from 1 to 30"),
        ("smtp://u:s3cret@mail.example.com/?timeout=soon", "from 1 to 30"),
        ("smtp://u:s3cret@mail.example.com/?ca=/no/such.pem", "no file"),
        ("smtp://u:s3cret@mail.example.com/?name=a%20b", "no host name"),
    ],
)
def test_what_is_wrong_is_named_without_the_password(url, says):
    with pytest.raises(WrongMailServer) as caught:
        read_mail_server(url)
    assert says in str(caught.value)
    assert "s3cret" not in str(caught.value)
