"""Where Seatport may connect to when somebody else names the place: public addresses, and nothing else.

A name is resolved here, every address it has is judged, and the connection is made to an address that was
judged, never to the name again: a name that answers differently the second time gains nothing. TLS and the
Host header still speak of the name. What must not be reached is written as what may be: in IPv6 the space of
global unicast, so that new kinds of private space are refused before they are known here.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import urlsplit

URL_LENGTH_MAX: Final = 500
HTTPS_PORT: Final = 443
PORT_FREE_MIN: Final = 1024
PORT_MAX: Final = 65535
LOOPBACK: Final = "127.0.0.1"
LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
INSIDE: Final = ("localhost", "local", "localdomain", "internal", "intranet", "lan", "home", "corp", "arpa")
GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
NAT64: Final = IPv6Network("64:ff9b::/96")
NOT_FOR_US: Final = (
    IPv4Network("192.0.0.0/24"),
    IPv4Network("192.88.99.0/24"),
    IPv6Network("2001::/23"),
    IPv6Network("3fff::/20"),
)
"""What Python of some versions takes for global: protocol assignments, relays of 6to4, documentation."""

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[list[str]]]
"""All addresses of a host name, as text. Raises OSError if it has none."""


class AddressRefused(Exception):
    """A name leads to where Seatport does not connect to. Nothing was connected."""


@dataclass(frozen=True, slots=True)
class Target:
    """The parts of an address that something may be sent to."""

    scheme: str
    host: str
    port: int
    path: str


class UrlWrong(Exception):
    """Nothing is sent to such an address; the message says why and what to give instead."""


def target_of(url: str, *, loopback: bool) -> Target:
    """The parts of an address, of which nothing was asked in the network yet; `UrlWrong` says what is wrong.

    :param loopback: whether this machine may be reached too, as http://127.0.0.1:PORT, for demo and tests
    """
    if len(url) > URL_LENGTH_MAX or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise UrlWrong(
            f"Give an address of at most {URL_LENGTH_MAX} plain characters; write names in Punycode."
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UrlWrong("This is not an address.") from None
    host = parts.hostname or ""
    if "@" in parts.netloc or parts.fragment or "#" in url:
        raise UrlWrong("Give an address without a user, a password or a fragment.")
    here = loopback and host == LOOPBACK
    if parts.scheme != "https" and not (here and parts.scheme == "http"):
        raise UrlWrong("Give an address that begins with https://.")
    if not here:
        _refuse_host(host)
        if port is not None and port != HTTPS_PORT and port < PORT_FREE_MIN:
            raise UrlWrong(f"Use port {HTTPS_PORT}, or one from {PORT_FREE_MIN} on.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port or (HTTPS_PORT if parts.scheme == "https" else 80), path)


def _refuse_host(host: str) -> None:
    """Let the full name of a server pass, and nothing that any resolver reads as the number of an address."""
    labels = host.lower().split(".")
    numeric = re.match(r"[0-9]|0x", labels[-1])
    if len(labels) == 1 or numeric or labels[-1] in INSIDE or not all(map(LABEL.fullmatch, labels)):
        raise UrlWrong("Give the full name of a server that the public network can reach.")


def is_public(address: Address) -> bool:
    """Whether an address belongs to somebody on the public network: not to this machine or its
    neighbours, not to many at once, and not to one that stands for another.
    """
    if isinstance(address, IPv6Address):
        if address in NAT64:
            return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
        stands_for_another = address.ipv4_mapped or address.sixtofour or address.teredo
        if address not in GLOBAL_UNICAST or stands_for_another:
            return False
    if any(address.version == space.version and address in space for space in NOT_FOR_US):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


async def resolved(host: str, port: int) -> list[str]:
    """The addresses of a name, by this machine's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(
        host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
    )
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@dataclass(frozen=True, slots=True)
class Guard:
    """Says to which addresses of a host one may connect.

    :ivar loopback: whether 127.0.0.1, written so, may be reached too
    """

    loopback: bool = False
    resolve: Resolve = resolved

    async def addresses(self, host: str, port: int) -> list[str]:
        """All addresses of a host, each judged; one that is not public spoils all.

        :raises AddressRefused: if one must not be connected to
        :raises OSError: if the name is not known
        """
        if self.loopback and host == LOOPBACK:
            return [LOOPBACK]
        found = await self.resolve(host, port)
        if not found:
            raise OSError(f"{host} has no address")
        for text in found:
            if not is_public(ip_address(text)):
                raise AddressRefused(f"{host} leads to {text}, which is not on the public network")
        return found
