import socket
import ssl
import threading
import time
from datetime import timedelta

import pytest

from channels_email.standins.certificates import self_made_certificate
from gateway import outbound_http
from gateway.outbound_http import AddressMalformed, AddressRefused, Answer, CallFailed, check_address, post
from tests.callback_scene import receiver
from users.public_addresses import is_allowed


@pytest.fixture
def outside(settings):
    """As anywhere but on a developer's machine."""
    settings.CALLBACK_ALLOW_HTTP = settings.CALLBACK_ALLOW_PRIVATE = False
    return settings


@pytest.fixture
def hook():
    with receiver() as opened:
        yield opened


def resolve_to(monkeypatch, *addresses):
    """Every name has these addresses; returns how often somebody asked."""
    asked = []

    def getaddrinfo(host, port, *args, **options):
        asked.append(host)
        kind = {True: socket.AF_INET6, False: socket.AF_INET}
        return [(kind[":" in each], socket.SOCK_STREAM, 6, "", (each, port)) for each in addresses]

    monkeypatch.setattr(outbound_http.socket, "getaddrinfo", getaddrinfo)
    return asked


INSIDE = [
    *("127.0.0.1", "127.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1"),
    *("::1", "fc00::1", "fd12::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1"),
]
NEVER = [
    *("0.0.0.0", "169.254.169.254", "192.0.0.192", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),  # noqa: S104
    *("100.100.100.200", "168.63.129.16", "192.0.2.1", "198.51.100.1", "203.0.113.1", "192.88.99.1"),
    *("::", "fe80::1", "fe80::1%eth0", "ff02::1", "fd00:ec2::254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe"),
    *("2002:7f00:1::", "2002:a9fe:a9fe::", "2001:0:1::1", "2001:db8::1", "64:ff9b:1::1", "::127.0.0.1", "fec0::1"),
    *("64:ff9b::7f00:1", "64:ff9b::a00:1", "nonsense", ""),
]
PUBLIC = ["8.8.8.8", "1.1.1.1", "172.32.0.1", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"]


@pytest.mark.parametrize("address", [*INSIDE, *NEVER])
def test_no_way_leads_inside(outside, address):
    assert not is_allowed(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_the_public_net_is_open(outside, address):
    assert is_allowed(address)


@pytest.mark.parametrize("address", INSIDE)
def test_private_addresses_may_be_let_through(settings, address):
    settings.CALLBACK_ALLOW_PRIVATE = True

    assert is_allowed(address)


@pytest.mark.parametrize("address", NEVER)
def test_some_are_never_let_through(settings, address):
    settings.CALLBACK_ALLOW_PRIVATE = True

    assert not is_allowed(address)


SPELLINGS = [
    *("127.0.0.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "localhost", "127.0.0.1."),
    *("[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[::]", "0"),
    "0.0.0.0",  # noqa: S104
    *("１２７.0.0.1", "127。0。0。1", "ⓛocalhost", "[fe80::1%25lo]", "169.254.169.254", "[fd00:ec2::254]"),
]


@pytest.mark.parametrize("host", SPELLINGS)
def test_no_spelling_of_a_host_of_ours_is_taken(outside, host):
    """Resolved by the system's own resolver; those it has no address for are refused too."""
    with pytest.raises(AddressRefused):
        check_address(f"https://{host}/hook")


@pytest.mark.parametrize("host", SPELLINGS)
def test_nor_is_anything_posted_there(outside, host, monkeypatch):
    monkeypatch.setattr(outbound_http.socket, "create_connection", lambda *args, **options: pytest.fail("connected"))

    with pytest.raises((AddressRefused, CallFailed)):
        post(f"https://{host}/hook", b"{}", {})


@pytest.mark.parametrize(
    "url",
    [
        *("http://example.com/", "ftp://example.com/", "https://example.com:80/", "https://example.com:22/"),
        *(
            "https://user@example.com/",
            "https://user:pw@example.com/",
            "https://:@example.com/",
            "https://@example.com",
        ),
    ],
)
def test_an_address_against_the_rules_is_refused(outside, monkeypatch, url):
    resolve_to(monkeypatch, "8.8.8.8")

    with pytest.raises(AddressRefused) as refused:
        check_address(url)
    assert not isinstance(refused.value, AddressMalformed)


@pytest.mark.parametrize(
    "url",
    [
        *("//example.com/", "example.com", "https://", "", "https:///x", "hello", "https:example.com", "https://."),
        *("https://example.com:0/", "https://example.com:99999/", "https://example.com:0443/", "https://example.com:/"),
        *("https://[2606:4700::1111]:/", "https://example.com:+443/", "https://example.com:x/"),
        *("https://example.com/#top", "https://example.com/#", "https://exa mple.com/", "https://example.com\\@evil/"),
        *("https://example.com/\r\nx: y", "https://example.com/\tx", "https://exämple.com/", "https://[::1/"),
        *(
            "https://[example.com]/",
            "https://1.2.3.4.5/",
            "https://1.2.3.999/",
            "https://a..b/",
            f"https://{'a' * 64}.com/",
        ),
        *(f"https://{'a.' * 130}com/", f"https://example.com/{'x' * 2000}"),
    ],
)
def test_what_is_no_address_is_told_apart(outside, monkeypatch, url):
    resolve_to(monkeypatch, "8.8.8.8")

    with pytest.raises(AddressMalformed):
        check_address(url)


def test_nobody_writes_an_address_of_nat64(outside, monkeypatch):
    """Resolvers of nets without IPv4 make them of public addresses: behind a name one is taken."""
    with pytest.raises(AddressRefused):
        check_address("https://[64:ff9b::808:808]/")

    resolve_to(monkeypatch, "64:ff9b::808:808")
    check_address("https://example.com/")


@pytest.mark.parametrize(
    "url", ["https://example.com", "https://example.com:443/a?b=c%20d", "https://example.com:8443/", "https://8.8.8.8/"]
)
def test_an_address_within_the_rules_is_taken(outside, monkeypatch, url):
    resolve_to(monkeypatch, "8.8.8.8")

    check_address(url)


@pytest.mark.parametrize("hidden", ["127.0.0.1", "10.0.0.7", "::ffff:169.254.169.254"])
def test_one_private_address_behind_a_name_spoils_all(outside, monkeypatch, hidden):
    resolve_to(monkeypatch, "8.8.8.8", hidden)

    with pytest.raises(AddressRefused):
        check_address("https://example.com/")


def test_a_name_without_an_address_is_taken_and_asked_for_again(outside, monkeypatch):
    resolve_to(monkeypatch)
    check_address("https://example.com/")

    with pytest.raises(CallFailed, match="name_not_found"):
        post("https://example.com/", b"{}", {})

    resolve_to(monkeypatch, "127.0.0.1")
    with pytest.raises(AddressRefused):
        post("https://example.com/", b"{}", {})


def test_the_socket_connects_to_the_address_that_was_judged(outside, monkeypatch):
    """A name that changes its address between the check and the connection gains nothing: it is asked once."""
    asked = resolve_to(monkeypatch, "8.8.8.8")
    connected = []

    def create_connection(address, timeout):
        connected.append(address)
        resolve_to(monkeypatch, "127.0.0.1")
        raise ConnectionRefusedError

    monkeypatch.setattr(outbound_http.socket, "create_connection", create_connection)

    with pytest.raises(CallFailed, match="connection_refused"):
        post("https://example.com/", b"{}", {})

    assert asked == ["example.com"]
    assert connected == [("8.8.8.8", 443)]


def test_what_is_posted_arrives(hook):
    answer = post(hook.url, b'{"a": 1}', {"content-type": "application/json", "x-test": "yes"})

    assert (answer.status, answer.retry_after) == (200, None)
    [(path, headers, body)] = hook.posts
    assert (path, body) == ("/hooks?from=us", b'{"a": 1}')
    assert headers["host"] == f"127.0.0.1:{hook.port}"
    assert (headers["content-length"], headers["x-test"]) == ("8", "yes")


@pytest.mark.parametrize("status", [200, 204, 299, 301, 302, 307, 308, 400, 410, 500, 503])
def test_any_answer_is_an_answer_and_no_redirect_is_followed(hook, status):
    hook.answer, hook.headers = status, {"Location": hook.url}

    assert post(hook.url, b"{}", {}).status == status
    assert len(hook.posts) == 1


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("0", 0), ("120", 120), ("99999999999999999999", 366 * 86400), ("soon", None), ("-5", None), ("", None)],
)
def test_retry_after_in_seconds(hook, value, seconds):
    hook.answer, hook.headers = 503, {"Retry-After": value}

    wanted = None if seconds is None else timedelta(seconds=seconds)
    assert post(hook.url, b"{}", {}).retry_after == wanted


def test_retry_after_as_a_date(hook):
    hook.answer, hook.headers = 503, {"Retry-After": "Fri, 01 Jan 2100 00:00:00 GMT"}
    assert post(hook.url, b"{}", {}).retry_after > timedelta(days=365)

    hook.headers = {"Retry-After": "Fri, 01 Jan 1999 00:00:00 GMT"}
    assert post(hook.url, b"{}", {}).retry_after == timedelta(0)


def test_a_date_that_cannot_be_is_no_reason_to_fail(hook):
    hook.answer, hook.headers = 503, {"Retry-After": "Fri, 01 Jan 99999999999999 00:00:00 GMT"}

    assert post(hook.url, b"{}", {}) == Answer(status=503)


def test_an_endless_body_is_not_read(hook):
    def drip(handler, number):
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(b"x" * 65536)  # ends by an error once the sender has hung up

    hook.answer = drip

    assert post(hook.url, b"{}", {}).status == 200


def test_who_drips_is_cut_off_in_time(hook):
    """Every byte comes in time; together they would take for ever."""
    stop = threading.Event()

    def drip(handler, number):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not stop.wait(0.05):
            handler.wfile.write(b"x")

    hook.answer = drip
    began = time.monotonic()

    with pytest.raises(CallFailed, match="timeout"):
        post(hook.url, b"{}", {}, within=timedelta(seconds=0.5))

    stop.set()
    assert time.monotonic() - began < 60


def test_who_says_nothing_is_cut_off_too(hook):
    hook.may_answer.clear()

    with pytest.raises(CallFailed, match="timeout"):
        post(hook.url, b"{}", {}, within=timedelta(seconds=0.3))


def garbage(line):
    def answer(handler, number):
        handler.wfile.write(line)
        handler.close_connection = True

    return answer


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"", "connection_broken"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "bad_answer"),
        (b"\x00\xff\x00\xff\r\n\r\n", "bad_answer"),
        (b"HTTP/1.1 abc OK\r\n\r\n", "bad_answer"),
        (b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 200 + b"\r\n", "bad_answer"),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * 100_000 + b"\r\n\r\n", "bad_answer"),
    ],
)
def test_garbage_is_no_answer(hook, line, code):
    hook.answer = garbage(line)

    with pytest.raises(CallFailed) as failed:
        post(hook.url, b"{}", {})

    assert failed.value.code in (code, "connection_broken")


def test_nobody_there_is_told_apart():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]

    with pytest.raises(CallFailed, match="connection_refused"):
        post(f"http://127.0.0.1:{port}/", b"{}", {})


def test_no_proxy_is_asked(hook, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    assert post(hook.url, b"{}", {}).status == 200


def test_a_server_without_encryption_behind_https_fails_as_such(hook):
    with pytest.raises(CallFailed) as failed:
        post(hook.url.replace("http:", "https:"), b"{}", {})

    assert failed.value.code in ("tls_failed", "connection_broken")
    assert hook.posts == []


@pytest.fixture
def encrypted(tmp_path, monkeypatch):
    """A server with a certificate for localhost that we trust, and the names it was asked for."""
    file = self_made_certificate(tmp_path, address=None)
    names = []
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(file)
    serving.sni_callback = lambda link, name, context: names.append(name)
    monkeypatch.setattr(outbound_http, "_tls", lambda: ssl.create_default_context(cafile=file))
    with receiver(serving) as opened:
        yield opened, names


def test_the_name_stays_although_the_socket_connects_to_an_address(encrypted):
    opened, names = encrypted

    assert post(f"https://localhost:{opened.port}/hook", b"{}", {}).status == 200

    assert names == ["localhost"]
    assert opened.posts[0][1]["host"] == f"localhost:{opened.port}"


def test_a_certificate_for_another_name_is_not_believed(encrypted):
    opened, _ = encrypted

    with pytest.raises(CallFailed, match="tls_failed"):
        post(f"https://127.0.0.1:{opened.port}/hook", b"{}", {})

    assert opened.posts == []


def test_certificates_are_checked_in_earnest():
    context = outbound_http._tls()

    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
