"""How a message goes out to an endpoint of the vendor's: signed after Standard Webhooks, sent once, judged by
the status alone.

One try is one POST, whole within its time. Redirects are not followed, cookies and proxies are not known, and
of what is answered only a little is read. Connections go where the `Guard` lets them, and nowhere else.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from functools import cache
from ssl import SSLContext, SSLError
from typing import Final, Protocol

import httpcore

from app.gateways.addresses import AddressRefused, Guard, UrlWrong, target_of

SECONDS_MAX: Final = 15.0
ANSWER_BYTES_MAX: Final = 64 * 1024
BODY_BYTES_MAX: Final = 20_000
CONNECTIONS_MAX: Final = 200
KEPT_SECONDS: Final = 10.0
SECRET_PREFIX: Final = "whsec_"  # noqa: S105  A prefix, by which secrets are known.
AGENT: Final = "Seatport-Webhooks/1"


@dataclass(frozen=True, slots=True)
class Letter:
    """What goes out in one try: where to, under which id, signed for which instant."""

    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """The endpoint answered: its status, and how long it wants to be left alone, in its own words."""

    status: int
    retry_after: str | None
    milliseconds: int

    @property
    def delivered(self) -> bool:
        """Whether it took the message: 200 to 299, and nothing else."""
        return 200 <= self.status < 300  # noqa: PLR2004  What HTTP calls success.


class Failure(Enum):
    """Why there was no answer."""

    TIMEOUT = "no answer in time"
    CONNECTION = "no connection, or it broke"
    TLS = "no safe connection: the certificate is not good for this name"
    NAME = "the name is not known"
    ADDRESS = "the name leads to an address that is not public"


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The endpoint gave no answer."""

    why: Failure
    milliseconds: int


Outcome = Answer | NoAnswer


class Sender(Protocol):
    """Sends a letter, once."""

    async def send(self, letter: Letter) -> Outcome:
        """What became of it; it never raises for what is outside."""
        ...


def signature(key: bytes, message: str, at: datetime, body: bytes) -> str:
    """The signature of a message for one try, after Standard Webhooks 1.0 (`v1`, HMAC-SHA256).

    :param at: the instant of the try, with an offset; whole seconds are signed
    """
    signed = b"%b.%d.%b" % (message.encode(), seconds_of(at), body)
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def seconds_of(at: datetime) -> int:
    """The instant as `webhook-timestamp` has it."""
    assert at.utcoffset() is not None, "an instant has an offset"
    return int(at.timestamp())


def secret_text(key: bytes) -> str:
    """A signing key as it is shown and as the libraries of the standard take it."""
    return SECRET_PREFIX + base64.b64encode(key).decode()


def letter(url: str, message: str, body: bytes, *, keys: Iterable[bytes], at: datetime) -> Letter:
    """A message made ready for one try, signed with every key that is good now."""
    assert len(body) < BODY_BYTES_MAX, "a message is thin"
    signatures = " ".join(signature(key, message, at, body) for key in keys)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": AGENT,
        "webhook-id": message,
        "webhook-timestamp": str(seconds_of(at)),
        "webhook-signature": signatures,
    }
    return Letter(url, headers, body)


class GuardedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to addresses that the guard lets pass, one after the other until one takes the connection."""

    def __init__(self, guard: Guard, network: httpcore.AsyncNetworkBackend) -> None:
        self._guard = guard
        self._network = network

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  The method has the signature httpcore calls.
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        *others, last = await self._guard.addresses(host, port)
        for address in others:
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._network.connect_tcp(last, port, timeout, local_address, socket_options)


@dataclass(slots=True)
class HttpSender:
    """Sends over HTTP. Whoever made it closes it."""

    guard: Guard
    seconds: float = SECONDS_MAX
    tls: SSLContext | None = None
    network: httpcore.AsyncNetworkBackend = field(default_factory=httpcore.AnyIOBackend)
    _pool: httpcore.AsyncConnectionPool = field(init=False)

    def __post_init__(self) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=self.tls or _trusted(),
            max_connections=CONNECTIONS_MAX,
            keepalive_expiry=KEPT_SECONDS,
            network_backend=GuardedNetwork(self.guard, self.network),
        )

    async def send(self, letter: Letter) -> Outcome:
        """What the endpoint answered, or why it did not; after `seconds` at the latest."""
        loop = asyncio.get_running_loop()
        began_at = loop.time()
        heard: list[tuple[int, str | None]] = []

        def milliseconds() -> int:
            return int((loop.time() - began_at) * 1000)

        try:
            async with asyncio.timeout(self.seconds):
                await self._exchange(letter, heard)
        except (
            TimeoutError,
            httpcore.TimeoutException,
            httpcore.NetworkError,
            httpcore.ProtocolError,
        ) as error:
            # Once there was a status, it counts, whatever became of the rest.
            if not heard:
                return NoAnswer(_why(error), milliseconds())
        except (AddressRefused, UrlWrong):
            return NoAnswer(Failure.ADDRESS, milliseconds())
        except OSError:
            return NoAnswer(Failure.NAME, milliseconds())
        status, retry_after = heard[0]
        return Answer(status, retry_after, milliseconds())

    async def close(self) -> None:
        """Close the connections that were kept."""
        await self._pool.aclose()

    async def _exchange(self, letter: Letter, heard: list[tuple[int, str | None]]) -> None:
        """Send, note the status as soon as it is there, and read the rest as far as it may go."""
        target = target_of(letter.url, loopback=self.guard.loopback)
        url = httpcore.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.path)
        headers = list(letter.headers.items())
        async with self._pool.stream("POST", url, headers=headers, content=letter.body) as response:
            named = dict(response.headers)
            retry_after = next(
                (value for name, value in named.items() if name.lower() == b"retry-after"), None
            )
            heard.append((response.status, retry_after.decode("latin-1") if retry_after else None))
            read = 0
            async for chunk in response.aiter_stream():
                read += len(chunk)
                if read >= ANSWER_BYTES_MAX:
                    return


@cache
def _trusted() -> SSLContext:
    """TLS with the authorities that everybody trusts; it takes a while to read them."""
    return httpcore.default_ssl_context()


def _why(error: Exception) -> Failure:
    if isinstance(error, TimeoutError | httpcore.TimeoutException):
        return Failure.TIMEOUT
    return Failure.TLS if _is_tls(error) else Failure.CONNECTION


def _is_tls(error: BaseException | None) -> bool:
    """Whether TLS is what failed, at the bottom of an error."""
    while error is not None:
        if isinstance(error, SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False
