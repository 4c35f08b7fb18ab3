"""GET of PDFs: the right file with headers that keep it private, and one answer to every link that is not
good.
"""

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.api.files import disposition
from app.api.ids import PublicId
from app.api.links import DocumentLinks
from tests.api.tiny import (
    CANARY,
    CUSTOMER,
    INVOICE,
    INVOICE_BROKEN,
    INVOICE_UNKNOWN,
    INVOICE_WAITING,
    NOW,
    PDF,
    SECRET,
    Tiny,
)

LINKS = DocumentLinks("", SECRET)
ETAG = f'"{hashlib.sha256(PDF).hexdigest()}"'


def link(document: PublicId = INVOICE, *, age: timedelta = timedelta()) -> str:
    """A link made some time ago."""
    return LINKS.sign_document_url(customer=CUSTOMER, document=document, at=NOW - age)


@pytest.fixture
def browser(tiny: Tiny) -> Tiny:
    """Somebody who has a link and no token."""
    del tiny.client.headers["Authorization"]
    return tiny


def test_a_link_gives_the_pdf(browser: Tiny) -> None:
    """The bytes as stored, to be saved under the document's number, kept by nobody, run by nothing."""
    answer = browser.client.get(link())

    assert answer.status_code == 200
    assert answer.content == PDF
    each_its_own = {"content-length", "x-request-id"}
    headers = {name: answer.headers[name] for name in answer.headers if name not in each_its_own}
    assert headers == {
        "content-type": "application/pdf",
        "content-disposition": 'attachment; filename="NW-2026-0001.pdf"',
        "etag": ETAG,
        "cache-control": "private, no-store",
        "content-security-policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
        "x-content-type-options": "nosniff",
        "cross-origin-resource-policy": "same-origin",
        "referrer-policy": "no-referrer",
        "x-frame-options": "DENY",
    }


def test_head_gives_the_headers_alone(browser: Tiny) -> None:
    """Size and hash without the file."""
    answer = browser.client.head(link())

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len(PDF))
    assert answer.headers["etag"] == ETAG


def test_a_known_file_is_not_sent_again(browser: Tiny) -> None:
    """A program that has the bytes of this hash gets 304; one that has others gets the file."""
    same = browser.client.get(link(), headers={"If-None-Match": f'"other", {ETAG}'})
    other = browser.client.get(link(), headers={"If-None-Match": '"other"'})

    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", ETAG)
    assert other.content == PDF


def test_every_link_that_is_not_good_gets_one_answer(browser: Tiny) -> None:
    """Expired, changed, cut off, of another server, unknown: the same bytes, which say what to do."""
    good = link()
    elsewhere = DocumentLinks("", SECRET[::-1]).sign_document_url(customer=CUSTOMER, document=INVOICE, at=NOW)
    wrong = [
        link(age=timedelta(minutes=5)),
        good.replace("inv_0", "inv_1"),
        good.replace("cus_0", "cus_1"),
        good[:-1],
        good.partition("?")[0],
        good.replace(".pdf", ".PDF"),
        good.replace(".pdf", ""),
        f"{good}&extra=1",
        elsewhere,
        link(INVOICE_UNKNOWN),
        "/documents/nonsense",
        "/documents/%00",
        "/documents/%ff.pdf?customer=%ff",
    ]

    answers = [browser.client.get(url) for url in wrong]

    assert {(answer.status_code, answer.content) for answer in answers} == {(403, answers[0].content)}
    for answer in answers:
        del answer.headers["x-request-id"]
    assert len({tuple(answer.headers.items()) for answer in answers}) == 1
    assert answers[0].headers["content-type"] == "text/plain; charset=utf-8"
    assert answers[0].text == (
        "This link has expired or is not complete. "
        "Open the document again on the billing page: that makes a fresh link.\n"
    )


def test_flipped_bits_are_refused_by_the_server(browser: Tiny) -> None:
    """One flipped bit in each character of the signature, through HTTP."""
    good = link()
    start = good.index("signature=") + len("signature=")
    flipped = [good[:at] + chr(ord(good[at]) ^ 1) + good[at + 1 :] for at in range(start, len(good))]

    assert len(flipped) == 43
    assert {browser.client.get(url).status_code for url in flipped} == {403}


def test_a_document_that_is_not_ready_asks_for_patience(browser: Tiny) -> None:
    """503 with the seconds to wait; the link stays good."""
    answer = browser.client.get(link(INVOICE_WAITING))

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")
    assert answer.text == "This document is not ready yet. Try again in a moment.\n"


def test_a_fault_shows_a_reference_only(browser: Tiny) -> None:
    """What failed inside is in the log, under the reference that the client sees."""
    with capture_logs() as logs:
        answer = browser.client.get(link(INVOICE_BROKEN))

    assert answer.status_code == 500
    assert answer.json()["reference"] == logs[0]["reference"]
    assert CANARY not in answer.text


def test_a_link_cannot_be_posted_to(browser: Tiny) -> None:
    """Reading is all a link is for."""
    assert browser.client.post(link()).status_code == 405


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("NW-2026-0001", 'attachment; filename="NW-2026-0001.pdf"'),
        ("RE/2026/1", 'attachment; filename="RE-2026-1.pdf"'),
        ("../../etc/passwd", 'attachment; filename="etc-passwd.pdf"'),
        ("..\\..\\boot", 'attachment; filename="boot.pdf"'),
        (
            'a"; filename="b',
            "attachment; filename=\"a-filename-b.pdf\"; filename*=UTF-8''a%22%3B%20filename%3D%22b.pdf",
        ),
        (
            "a\r\nSet-Cookie: x",
            "attachment; filename=\"aSet-Cookie-x.pdf\"; filename*=UTF-8''aSet-Cookie%3A%20x.pdf",
        ),
        (
            "Rechnung Nr. 7",
            "attachment; filename=\"Rechnung-Nr.-7.pdf\"; filename*=UTF-8''Rechnung%20Nr.%207.pdf",
        ),
        ("請求書", "attachment; filename=\"inv_1.pdf\"; filename*=UTF-8''%E8%AB%8B%E6%B1%82%E6%9B%B8.pdf"),
        ("", 'attachment; filename="inv_1.pdf"'),
        ("...", 'attachment; filename="inv_1.pdf"'),
        ("x" * 500, f'attachment; filename="{"x" * 80}.pdf"'),
    ],
)
def test_a_file_name_is_safe_whatever_the_number(name: str, header: str) -> None:
    """No name ends the header, leaves the folder or hides the file; other scripts are kept for clients that
    can.
    """
    assert disposition(name, fallback="inv_1") == header
    assert Path(header.partition('filename="')[2].partition('"')[0]).parent == Path()
