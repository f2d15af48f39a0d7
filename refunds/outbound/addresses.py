"""Where a message may go: https, and an address of the public internet, whatever name or notation leads to it."""

import ipaddress
from dataclasses import dataclass
from socket import SOCK_STREAM, getaddrinfo
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from stores.errors import Invalid

_LONGEST = 500
_UNICAST_V6 = ipaddress.IPv6Network("2000::/3")
_SPECIAL_V4 = (ipaddress.IPv4Network("192.0.0.0/24"), ipaddress.IPv4Network("192.88.99.0/24"))
"""Kept for protocols and relays (IANA's special-purpose registry), which the library counts as global in part."""


class NotPublic(Exception):
    """The name leads nowhere, or to an address inside; the text says which and names no address."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """A checked address: connect to `ip` and `port`, speak of `netloc`, and expect `host` in the certificate."""

    scheme: str
    host: str
    netloc: str
    ip: str
    port: int
    path: str

    @property
    def url(self) -> str:
        """The address with the checked IP in the place of the name, so that no second look-up can lead elsewhere."""
        ip = f"[{self.ip}]" if ":" in self.ip else self.ip
        return f"{self.scheme}://{ip}:{self.port}{self.path}"


def checked_url(typed: str) -> str:
    """The address as it is kept. Raises Invalid for what can never be sent to; looks no name up."""
    url = typed.strip()
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = SplitResult("", "", "", "", ""), None
    host = parts.hostname or ""
    is_plain_ascii = url.isascii() and url.isprintable() and " " not in url and "\\" not in url
    if not is_plain_ascii or not host or parts.username is not None or parts.fragment or port == 0 or len(url) > _LONGEST:
        raise Invalid(_("Give a whole address, like https://till.example/refunds."), field="url")
    if parts.scheme != "https" and not (parts.scheme == "http" and settings.DEMO and _is_loopback(host)):
        raise Invalid(_("The address must begin with https://."), field="url")
    literal = _ip(host)
    if literal is not None and not _may_be_reached(literal):
        raise Invalid(_("The address must be reachable from the public internet."), field="url")
    return url


def place_of(url: str) -> Place:
    """Look the name up and choose an address that may be reached. Raises NotPublic if even one of its addresses may not."""
    try:
        parts = urlsplit(checked_url(url))
    except Invalid:
        raise NotPublic("the address is not one that may be sent to") from None
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = getaddrinfo(host, port, type=SOCK_STREAM)
    except (OSError, UnicodeError):
        raise NotPublic("the name leads nowhere") from None
    addresses = [ip for ip in (_ip(str(entry[4][0])) for entry in found) if ip is not None]
    if len(addresses) != len(found) or not addresses or not all(_may_be_reached(ip) for ip in addresses):
        raise NotPublic("the name leads to an address that is not public")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Place(scheme=parts.scheme, host=host, netloc=parts.netloc, ip=str(addresses[0]), port=port, path=path)


def is_public(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether anybody on the internet could be reached there; forms that carry an IPv4 address inside are refused whole."""
    if isinstance(ip, ipaddress.IPv6Address):
        is_tunnel = ip.ipv4_mapped is not None or ip.sixtofour is not None or ip.teredo is not None
        return ip in _UNICAST_V6 and ip.is_global and not is_tunnel and not ip.is_multicast
    is_special = ip.is_multicast or ip.is_reserved or any(ip in network for network in _SPECIAL_V4)
    return ip.is_global and not is_special


def _may_be_reached(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return is_public(ip) or (settings.DEMO and ip.is_loopback)


def _is_loopback(host: str) -> bool:
    ip = _ip(host)
    return host == "localhost" or (ip is not None and ip.is_loopback)


def _ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
