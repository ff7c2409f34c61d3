"""Which addresses a stranger may have us call: public ones, unwrapped from every form that hides another.

Names resolve to whatever their owner wants, also to our own machines; so what is judged are the addresses behind them.
"""

import ipaddress
import socket

from django.conf import settings

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

#: Ours: let through with CALLBACK_ALLOW_PRIVATE.
_PRIVATE = tuple(
    ipaddress.ip_network(each)
    for each in (
        *("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "198.18.0.0/15"),
        *("::1/128", "fc00::/7"),
    )
)
#: Never: this host by another name, clouds that tell their secrets, many at once, nobody at all, old tunnels.
_NEVER = tuple(
    ipaddress.ip_network(each)
    for each in (
        *("0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.51.100.0/24"),
        *("203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        *("100.100.100.200/32", "168.63.129.16/32", "fd00:ec2::254/128"),  # metadata of clouds
        *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),  # Teredo and its like, examples, 6to4
    )
)
#: All that is public in IPv6; whatever lies outside and is not private is refused.
_PUBLIC_IPV6 = ipaddress.ip_network("2000::/3")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class AddressRefused(Exception):
    """Nothing is sent to this address; the words say why and name no other machine."""


class AddressMalformed(AddressRefused):
    """It is no address at all, wherever it may lead; the words say how one is written."""


class NameNotFound(Exception):
    """The name has no address, at least now."""


def allowed_addresses(host: str, port: int) -> list[str]:
    """Every address behind a name; one that is refused spoils them all. Raises `AddressRefused` or `NameNotFound`."""
    if _is_translated(host):
        raise AddressRefused("Use the IPv4 address itself, not a translation of it.")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NameNotFound from error
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    if not addresses:
        raise NameNotFound
    if not all(is_allowed(address) for address in addresses):
        raise AddressRefused("The address must be a public one.")
    return addresses


def is_allowed(text: str) -> bool:
    """Whether we connect to this IP address: what is meant by it is public, or private and that is allowed."""
    try:
        address = _unwrapped(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        return False
    if any(address in network for network in _NEVER):
        return False
    if any(address in network for network in _PRIVATE):
        return bool(settings.CALLBACK_ALLOW_PRIVATE) and not _is_translated(text)
    return address.version == 4 or address in _PUBLIC_IPV6


def _is_translated(text: str) -> bool:
    """Whether this is an address of NAT64. Resolvers of nets without IPv4 make them; nobody writes them."""
    try:
        return ipaddress.ip_address(text) in _NAT64
    except ValueError:
        return False


def _unwrapped(address: IPAddress) -> IPAddress:
    """The IPv4 address that an IPv6 address stands for, if it does."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address
