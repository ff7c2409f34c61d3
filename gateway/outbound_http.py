"""One HTTP call to an address that a stranger has chosen.

Names resolve to whatever their owner wants, also to our own machines. So the addresses behind the name are judged,
unwrapped from every form that hides another, and the socket connects to the very address that was judged. Nothing is
redirected, no proxy is asked, nothing of the answer's body is read, and after 15 s it is over, however slowly it drips.
"""

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from gateway.retry_after import read_retry_after
from users.public_addresses import AddressMalformed, AddressRefused, NameNotFound, allowed_addresses

__all__ = ["AddressMalformed", "AddressRefused", "Answer", "CallFailed", "check_address", "post"]

#: For the whole call: name, connection, encryption, request, answer.
WITHIN = timedelta(seconds=15)
LONGEST_URL = 2000
#: Of the names of machines, and of what stands between their dots (RFC 1035).
LONGEST_NAME, LONGEST_LABEL = 253, 63
HTTPS_PORT, HTTP_PORT, FIRST_FREE_PORT = 443, 80, 1024


class CallFailed(Exception):
    """There was no answer; `code` says why in one word."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back; the body is not among it."""

    status: int
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    is_encrypted: bool
    host: str
    port: int
    #: Path and query.
    path: str


def check_address(url: str) -> None:
    """Raises `AddressRefused` when nothing would be sent there, as things are now.

    A name that has no address yet may get one: it is taken, and judged again at every try.
    """
    with contextlib.suppress(CallFailed):
        _addresses_of(_target_of(url))


def post(url: str, body: bytes, headers: Mapping[str, str], *, within: timedelta = WITHIN) -> Answer:
    """Post once. Raises `AddressRefused` or `CallFailed`; any answer at all is returned, also a redirect."""
    ends_at = time.monotonic() + within.total_seconds()
    target = _target_of(url)
    addresses = _addresses_of(target)
    kind = http.client.HTTPSConnection if target.is_encrypted else http.client.HTTPConnection
    with _connected(addresses, target, ends_at) as link:
        call = kind(target.host, target.port)
        call.sock = link
        try:
            call.request("POST", target.path, body=body, headers=dict(headers))
            answer = call.getresponse()
            if time.monotonic() >= ends_at:
                raise TimeoutError  # headers that were cut off look as if they had ended
            return Answer(status=answer.status, retry_after=read_retry_after(answer.getheader("Retry-After", "")))
        except (TimeoutError, OSError, http.client.HTTPException, ValueError) as error:
            raise CallFailed(_code_of(error, ends_at)) from error
        finally:
            call.close()


def _target_of(url: str) -> _Target:
    """The parts of an address that obeys the rules. Raises `AddressRefused`, `AddressMalformed` for what is none."""
    parts, host = _parts_of(url)
    if parts.scheme not in ("https", "http") or (parts.scheme == "http" and not settings.CALLBACK_ALLOW_HTTP):
        raise AddressRefused("Use an address that begins with https://.")
    if parts.username is not None or parts.password is not None:
        raise AddressRefused("Use an address without user and password.")
    usual = HTTPS_PORT if parts.scheme == "https" else HTTP_PORT
    port = usual if parts.port is None else parts.port
    if port != usual and port < FIRST_FREE_PORT:
        raise AddressRefused(f"Use port {usual}, or one from {FIRST_FREE_PORT} on.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return _Target(is_encrypted=parts.scheme == "https", host=host, port=port, path=path)


def _parts_of(url: str) -> tuple[SplitResult, str]:
    """The parts of what is an address at all, and its host. Raises `AddressMalformed`."""
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or set(' \\"<>^`{|}') & set(url):
        raise AddressMalformed(f"Use up to {LONGEST_URL} printable ASCII characters; names of hosts as xn--….")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise AddressMalformed("This is no address.") from error
    if not parts.scheme or not host or not _is_host(host):
        raise AddressMalformed("Use a whole address, such as https://shop.example.com/hooks.")
    if "#" in url:
        raise AddressMalformed("Use an address without a fragment (#).")
    written = parts.netloc.rpartition("]")[2].rpartition("@")[2].partition(":")
    if written[1] and (not port or written[2] != str(port)):
        raise AddressMalformed("Write the port as a number from 1 to 65535, or leave it and the colon out.")
    return parts, host


def _is_host(host: str) -> bool:
    """Whether it can be the name of a machine, or is an IP address; not whether there is one."""
    if ":" in host:
        return "%" not in host  # an address of one link of ours
    *_, last = labels = host.removesuffix(".").split(".")
    if last.isdigit() or last.startswith("0x"):
        with contextlib.suppress(OSError):
            return bool(socket.inet_aton(host))
        return False
    return len(host) <= LONGEST_NAME and all(0 < len(label) <= LONGEST_LABEL for label in labels)


def _addresses_of(target: _Target) -> list[str]:
    """Every address behind the name; one that is refused spoils them all."""
    try:
        return allowed_addresses(target.host, target.port)
    except NameNotFound as error:
        raise CallFailed("name_not_found") from error


@contextlib.contextmanager
def _connected(addresses: Sequence[str], target: _Target, ends_at: float) -> Iterator[socket.socket]:
    """A connection to one of these very addresses, which is cut when the time is over."""
    plain = _connect(addresses, target.port, ends_at)
    # A time-out of a socket counts from its last byte; whoever sends one byte a second would hold us for ever.
    with plain, plain.dup() as handle, _cut_at(handle, ends_at):
        if not target.is_encrypted:
            yield plain
            return
        try:
            encrypted = _tls().wrap_socket(plain, server_hostname=target.host)
        except (OSError, ValueError) as error:
            raise CallFailed(_code_of(error, ends_at)) from error
        with encrypted:
            yield encrypted


def _connect(addresses: Sequence[str], port: int, ends_at: float) -> socket.socket:
    error: OSError = TimeoutError()
    for address in addresses:
        left = ends_at - time.monotonic()
        if left <= 0:
            break
        try:
            # An address, not a name: nothing is resolved a second time.
            link = socket.create_connection((address, port), timeout=left)
        except OSError as failed:
            error = failed
        else:
            link.settimeout(max(0.001, ends_at - time.monotonic()))
            return link
    raise CallFailed(_code_of(error, ends_at)) from error


@contextlib.contextmanager
def _cut_at(handle: socket.socket, ends_at: float) -> Iterator[None]:
    def cut() -> None:
        with contextlib.suppress(OSError):  # the other side was faster
            handle.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(max(0.0, ends_at - time.monotonic()), cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()  # so that it never meets a handle that is closed already


@cache
def _tls() -> ssl.SSLContext:
    """Reading all authorities takes long enough to do it once."""
    return ssl.create_default_context()


def _code_of(error: Exception, ends_at: float) -> str:
    """What went wrong, in one word, without what the other side said."""
    if isinstance(error, TimeoutError) or time.monotonic() >= ends_at:
        return "timeout"
    if isinstance(error, ssl.SSLError):
        return "tls_failed"
    if isinstance(error, ConnectionRefusedError):
        return "connection_refused"
    if isinstance(error, http.client.RemoteDisconnected | ConnectionError):
        return "connection_broken"
    return "unreachable" if isinstance(error, OSError) else "bad_answer"
