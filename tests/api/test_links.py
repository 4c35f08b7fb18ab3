"""Signed links: good for one document of one customer until they expire, and in no other form."""

from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.ids import Kind, PublicId
from app.api.links import DocumentLinks, SignedDocument
from tests.api.tiny import CUSTOMER, INVOICE, NOW, SECRET

LINKS = DocumentLinks("https://billing.example.com", SECRET)
URL = LINKS.sign_document_url(customer=CUSTOMER, document=INVOICE, at=NOW)


def verified(
    url: str, *, links: DocumentLinks = LINKS, after: timedelta = timedelta()
) -> SignedDocument | None:
    """What a server believes of an address that came to it, some time after it was made."""
    parts = urlsplit(url)
    if not parts.path.startswith("/documents/"):
        return None
    name = parts.path.removeprefix("/documents/")
    return links.verify(name, parse_qsl(parts.query, keep_blank_values=True), at=NOW + after)


@given(st.uuids(), st.uuids(), st.sampled_from([Kind.INVOICE, Kind.CREDIT_NOTE]))
def test_a_link_says_what_was_signed(customer: UUID, id: UUID, kind: Kind) -> None:
    """The customer and the document come back, for both kinds of documents."""
    url = LINKS.sign_document_url(customer=customer, document=PublicId(kind, id), at=NOW)

    assert verified(url) == (customer, PublicId(kind, id))
    assert url.startswith(f"https://billing.example.com/documents/{PublicId(kind, id)}.pdf?customer=cus_")


def test_a_link_lives_for_five_minutes() -> None:
    """Good in the last second, refused at the instant of its expiry."""
    assert verified(URL, after=timedelta(seconds=299)) == (CUSTOMER, INVOICE)
    assert verified(URL, after=timedelta(seconds=300)) is None


def test_every_flipped_bit_is_refused() -> None:
    """All 8 bits of all characters after the host, one at a time: not one of over 1,000 links is believed."""
    start = URL.index("/documents/")
    flipped = [
        URL[:place] + chr(ord(URL[place]) ^ 1 << bit) + URL[place + 1 :]
        for place in range(start, len(URL))
        for bit in range(8)
    ]

    assert len(flipped) > 1000
    assert [url for url in flipped if verified(url) is not None] == []


def test_parts_of_two_links_do_not_mix() -> None:
    """The name, the customer, the expiry and the signature belong together."""
    other = LINKS.sign_document_url(
        customer=UUID(int=9), document=PublicId(Kind.CREDIT_NOTE, UUID(int=8)), at=NOW + timedelta(minutes=1)
    )
    pairs = list(zip(*(dict(query_of(url)).items() for url in (URL, other)), strict=True))
    mixed = [
        (name_of(name), [pair[choice >> place & 1] for place, pair in enumerate(pairs)])
        for name in (URL, other)
        for choice in range(8)
    ]

    believed = [query for name, query in mixed if LINKS.verify(name, query, at=NOW) is not None]

    assert believed == [query_of(URL), query_of(other)]


def query_of(url: str) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(url).query)


def name_of(url: str) -> str:
    return urlsplit(url).path.removeprefix("/documents/")


@pytest.mark.parametrize(
    "change",
    [
        lambda query: query[:-1],
        lambda query: [*query, ("customer", "cus_other")],
        lambda query: [*query, ("extra", "1")],
        lambda query: [*query[:-1], ("signature", "")],
        lambda query: [*query[:-1], ("signature", "é" * 43)],
        lambda query: [*query[:-1], ("signature", "\udcff")],
        lambda query: [("customer", "\udcff"), *query[1:]],
        lambda query: query[:0],
    ],
)
def test_a_query_with_more_or_less_is_refused(change: object) -> None:
    """Missing, repeated, further and unreadable parameters: no link."""
    assert callable(change)
    assert LINKS.verify(name_of(URL), change(query_of(URL)), at=NOW) is None


def test_another_secret_believes_nothing() -> None:
    """A link is good only where it was made."""
    assert verified(URL, links=DocumentLinks("https://billing.example.com", SECRET[::-1])) is None


def test_only_documents_are_signed() -> None:
    """A link to anything else is a bug."""
    with pytest.raises(AssertionError):
        LINKS.sign_document_url(customer=CUSTOMER, document=PublicId(Kind.SUBSCRIPTION, UUID(int=1)), at=NOW)


def test_the_secret_is_not_in_the_link_nor_in_the_repr() -> None:
    """Neither a log line nor a link gives it away."""
    assert SECRET not in URL
    assert SECRET not in repr(LINKS)
