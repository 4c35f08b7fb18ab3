"""Where a webhook may go: everything that is not plainly public is refused, before any connection."""

# ruff: noqa: ARG002, S104 - The network of the tests has the methods that httpcore calls.

import asyncio
import ssl
from collections.abc import Iterable
from ipaddress import ip_address

import httpcore
import pytest

from app.gateways.addresses import AddressRefused, Guard, UrlWrong, is_public, resolved, target_of
from app.gateways.webhooks import Answer, Failure, HttpSender, Letter, NoAnswer, Outcome

PUBLIC = ["93.184.215.14", "8.8.8.8", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::808:808"]
PRIVATE = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "100.127.255.255", "192.0.0.8", "192.0.2.1", "198.18.0.1",
    "198.51.100.1", "203.0.113.1", "192.88.99.1", "224.0.0.1", "239.255.255.255", "240.0.0.1",
    "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:169.254.169.254",
    "::127.0.0.1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "2001:db8::1", "2001::1",
    "2002:7f00:1::", "2002:a9fe:a9fe::1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1",
    "3fff::1", "5f00::1",
]  # fmt: skip
URLS = [
    "http://hooks.example.com/", "ftp://hooks.example.com/", "file:///etc/passwd", "gopher://a.example/",
    "javascript:alert(1)", "//hooks.example.com/", "", "https://", "https:///path", "https://localhost/",
    "https://printer.local/", "https://metadata.google.internal/", "https://db/", "https://127.0.0.1/",
    "https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://0x7f.0.0.1/",
    "https://0177.0.0.1/", "https://017700000001/", "https://[::1]/", "https://[::ffff:127.0.0.1]/",
    "https://[fd00::1]/", "https://[::]/", "https://0/", "https://0.0.0.0/", "https://169.254.169.254/latest",
    "https://10.0.0.8/", "https://192.168.0.1:8443/", "https://8.8.8.8/", "https://a.example.123/",
    "https://user@hooks.example.com/", "https://user:word@hooks.example.com/", "https://@hooks.example.com/",
    "https://hooks.example.com#@127.0.0.1/", "https://hooks.example.com\\@127.0.0.1/",
    "https://hooks.example.com:22/", "https://hooks.example.com:25/", "https://hooks.example.com:80/",
    "https://hooks.example.com:0/", "https://hooks.example.com:99999/", "https://hooks.example.com:x/",
    "https://hooks.exam ple.com/", "https://hooks.example.com/\r\nHost: x", "https://hööks.example.com/",
    "https://①②⑦.⓪.⓪.①/", "https://-hooks.example.com/", "https://hooks..example.com/",
    "https://hooks.example.com./", "https://127.0.0.1.:8080/", "https://1.0.0.127.in-addr.arpa/",
    "http://127.0.0.1:8000/", "http://127.0.0.2:8000/", "https://[fe80::1%25eth0]/",
    f"https://hooks.example.com/{'x' * 500}",
]  # fmt: skip


class Refusing(httpcore.AsyncNetworkStream):
    """A connection that speaks TLS with nobody, and notes for whom it was to be."""

    def __init__(self, network: "Noting") -> None:
        self.network = network

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        self.network.names.append(server_hostname)
        return self

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        self.network.written += buffer

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        told, self.network.answer = self.network.answer[:max_bytes], self.network.answer[max_bytes:]
        return told

    async def aclose(self) -> None:
        pass


class Noting(httpcore.AsyncNetworkBackend):
    """A network that notes every connection that it is asked for."""

    def __init__(self, down: Iterable[str] = ()) -> None:
        self.asked: list[tuple[str, int]] = []
        self.names: list[str | None] = []
        self.written = b""
        self.answer = b"HTTP/1.1 204 No Content\r\n\r\n"
        self.down = set(down)

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.asked.append((host, port))
        if host in self.down:
            raise httpcore.ConnectError("nobody there")
        return Refusing(self)


class Names:
    """A resolver whose answers a test gives, one after the other; the last stays."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def sender(network: Noting, names: Names, *, loopback: bool = False) -> HttpSender:
    return HttpSender(Guard(loopback=loopback, resolve=names), network=network, seconds=2)


def why(outcome: Outcome) -> Failure | None:
    """Why there was no answer; None if there was one."""
    return outcome.why if isinstance(outcome, NoAnswer) else None


def to(url: str) -> Letter:
    return Letter(url, {"webhook-id": "msg_1"}, b"{}")


def test_what_is_public() -> None:
    """Addresses of the public network pass; no kind of others does."""
    assert [text for text in PUBLIC if not is_public(ip_address(text))] == []
    assert [text for text in PRIVATE if is_public(ip_address(text))] == []


@pytest.mark.parametrize("url", URLS)
async def test_an_address_that_is_not_good_is_refused_by_its_form(url: str) -> None:
    """Neither taken as an endpoint, nor connected to if it were one; no name is even asked for."""
    network, names = Noting(), Names(["93.184.215.14"])

    with pytest.raises(UrlWrong):
        target_of(url, loopback=False)
    assert why(await sender(network, names).send(to(url))) is Failure.ADDRESS

    assert (network.asked, names.asked) == ([], 0)


@pytest.mark.parametrize("address", PRIVATE)
async def test_a_name_that_leads_inside_is_refused(address: str) -> None:
    """A good name with one bad address among good ones: not one connection."""
    for found in ([address], ["93.184.215.14", address]):
        network = Noting()
        outcome = await sender(network, Names(found)).send(to("https://hooks.example.com/in"))

        assert why(outcome) is Failure.ADDRESS
        assert network.asked == []


async def test_the_address_that_was_judged_is_connected_to() -> None:
    """TLS and Host speak of the name, the connection goes to the address; the name is asked for once."""
    network, names = Noting(), Names(["93.184.215.14"], ["127.0.0.1"])

    outcome = await sender(network, names).send(to("https://hooks.example.com:8443/in?x=1"))

    assert isinstance(outcome, Answer)
    assert network.asked == [("93.184.215.14", 8443)]
    assert network.names == ["hooks.example.com"]
    assert network.written.startswith(b"POST /in?x=1 HTTP/1.1\r\nHost: hooks.example.com:8443\r\n")
    assert names.asked == 1


async def test_a_name_that_changes_its_answer_gains_nothing() -> None:
    """Public at first and private at the second connection (DNS rebinding): the second is not made."""
    network, names = Noting(), Names(["93.184.215.14"], ["169.254.169.254"])
    out = sender(network, names)
    network.answer = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"

    first = await out.send(to("https://hooks.example.com/"))
    second = await out.send(to("https://hooks.example.com/"))

    assert isinstance(first, Answer)
    assert why(second) is Failure.ADDRESS
    assert network.asked == [("93.184.215.14", 443)]


async def test_every_address_of_a_name_is_tried() -> None:
    """If the first takes no connection the next is tried; if none does, there was no answer."""
    both = ["93.184.215.14", "93.184.215.15"]
    one, none = Noting(down=both[:1]), Noting(down=both)

    assert isinstance(await sender(one, Names(both)).send(to("https://hooks.example.com/")), Answer)
    failed = await sender(none, Names(both)).send(to("https://hooks.example.com/"))

    assert why(failed) is Failure.CONNECTION
    assert one.asked == none.asked == [(address, 443) for address in both]


async def test_this_machine_only_where_that_is_allowed() -> None:
    """A demo reaches 127.0.0.1, written so, and still no other address of this machine, nor by a name."""
    network = Noting()
    open_ = sender(network, Names(["127.0.0.1"]), loopback=True)

    assert isinstance(await open_.send(to("http://127.0.0.1:8765/in")), Answer)
    for url in (
        "https://here.example.com/",
        "http://127.0.0.2/",
        "http://localhost:1234/",
        "http://[::1]:80/",
    ):
        refused = await open_.send(to(url))
        assert why(refused) is Failure.ADDRESS
    assert network.asked == [("127.0.0.1", 8765)]


async def test_names_are_asked_of_this_machine() -> None:
    """Without another resolver it is the machine's own: what it knows of 127.0.0.1 is refused."""
    assert await resolved("127.0.0.1", 443) == ["127.0.0.1"]
    with pytest.raises(AddressRefused):
        await Guard().addresses("127.0.0.1", 443)


async def test_a_name_that_nobody_has() -> None:
    """It is told as that, and no connection is tried."""

    async def unknown(_: str, __: int) -> list[str]:
        raise OSError("Name or service not known")

    network = Noting()
    outcome = await HttpSender(Guard(resolve=unknown), network=network).send(to("https://gone.example.com/"))

    assert why(outcome) is Failure.NAME
    assert network.asked == []


async def test_a_resolver_that_hangs_is_left() -> None:
    """Asking for the name counts in the time of the try."""

    async def hangs(_: str, __: int) -> list[str]:
        await asyncio.sleep(60)
        return []

    outcome = await HttpSender(Guard(resolve=hangs), seconds=0.05).send(to("https://slow.example.com/"))

    assert why(outcome) is Failure.TIMEOUT
