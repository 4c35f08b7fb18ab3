"""What was shown against what is stored, as another process reads it: every difference in words."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from uuid import UUID

READER: Final = Path(__file__).with_name("reader.py")
LINE: Final = ("kind", "formula", "quantity", "numerator", "denominator", "period")
SUMS: Final = (
    ("subtotal", "subtotal"),
    ("tax", "tax"),
    ("total", "total"),
    ("creditApplied", "credit_applied"),
    ("amountDue", "amount_due"),
)
FORECAST: Final = re.compile(
    r", then [^,(]*? from \d+ \w+ \d+( as before)?( \(before: [^)]*\))?| ?Your credit balance [^.]*\."
)

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reader:
    """The other process."""

    process: subprocess.Popen[str]

    def read(self, customer: UUID) -> Json:
        """Everything that is stored of a customer at this moment."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{customer}\n")
        self.process.stdin.flush()
        found: Json = json.loads(self.process.stdout.readline())
        return found


@contextmanager
def reading(url: str) -> Iterator[Reader]:
    """Another process that reads a database; it gets no settings and imports nothing of the program."""
    command = [sys.executable, "-I", str(READER), url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Reader(process)


def shown(quote: Json) -> Json:
    """All that a quote binds: what it shows but its token, what the future will cost, and other ways."""
    aside = ("token", "validUntil", "atRenewal", "creditCoversUntil", "alternatives", "summary")
    bound = {name: value for name, value in quote.items() if name not in aside}
    told = ("outlook", "renewalDifference")
    scheduled = [{k: v for k, v in change.items() if k not in told} for change in quote["scheduled"]]
    return {**bound, "scheduled": scheduled, "summary": FORECAST.sub("", quote["summary"])}


def differences(quote: Json, done: Json, before: Json, after: Json) -> list[str]:
    """Where a change that went through is not what its quote had shown."""
    return list(_differences(quote, done, before, after))


def _differences(quote: Json, done: Json, before: Json, after: Json) -> Iterator[str]:
    answered = [done[kind]["number"] for kind in ("creditNote", "invoice") if done[kind]]
    new = [document for id, document in after["documents"].items() if id not in before["documents"]]
    documents = [document for number in answered for document in new if document["number"] == number]
    # Renewals that were due have instants of their own; at this one there is nothing but the change.
    at = [(document["number"], quote["effectiveAt"]) for document in documents]
    dated = sorted(
        (d["kind"], d["number"], d["issued_at"]) for d in new if d["issued_at"] == quote["effectiveAt"]
    )
    yield from unlike("documents", at, [(number, issued_at) for _, number, issued_at in dated])
    yield from _lines(quote, documents, before, after)
    yield from _sums(quote, documents)
    for document in documents:
        yield from _money(document)
    yield from unlike("the balance of credit", after["credit"], after["credit_entries"])
    yield from unlike("the answer's credit", quote["creditAdded"], done["creditAdded"])
    waits = after["scheduled"].keys() - before["scheduled"].keys()
    yield from unlike("scheduled changes", len(quote["scheduled"]), len(waits))
    ends_on = next(each for each in after["subscriptions"] if each["status"] == "ACTIVE")["period_ends_on"]
    yield from unlike("the end of the period", quote["renewsOn"], ends_on)
    yield from _seats(quote, before, after)


def renewed(forecast: Json, at: datetime, before: Json, after: Json) -> list[str]:
    """Where the documents of a renewal, made at an instant, do not come to what was forecast."""
    new = [document for id, document in after["documents"].items() if id not in before["documents"]]
    documents = [document for document in new if datetime.fromisoformat(document["issued_at"]) == at]
    if documents:
        return list(_totals(forecast, documents))
    return list(unlike("the renewal without a document", Decimal(forecast["total"]["amount"]), Decimal(0)))


def upcoming(foreseen: Json | None, until: datetime, before: Json, after: Json) -> list[str]:
    """Where the first documents until an instant are not what was foreseen; lines that come to nothing make
    none.
    """
    new = [document for id, document in after["documents"].items() if id not in before["documents"]]
    first = min((datetime.fromisoformat(document["issued_at"]) for document in new), default=until)
    documents = [d for d in new if datetime.fromisoformat(d["issued_at"]) == first <= until]
    if foreseen is None or not documents:
        total = Decimal(foreseen["totals"]["total"]["amount"]) if foreseen else Decimal(0)
        return list(unlike("foreseen, and no document", total, Decimal(0)))
    stored = [(line["formula"], line["amount"]) for document in documents for line in document["lines"]]
    expected = [(line["formula"], line["amount"]["amount"]) for line in foreseen["lines"]]
    return [*unlike("foreseen lines", expected, stored), *_totals(foreseen["totals"], documents)]


def _lines(quote: Json, documents: list[Json], before: Json, after: Json) -> Iterator[str]:
    due = [line for document in documents for line in document["lines"]]
    new = [line for id, line in after["waiting"].items() if id not in before["waiting"]]
    waiting = [line for line in new if line["effective_at"] == quote["effectiveAt"]]
    for name, stored, waits in (("due", due, False), ("waiting", waiting, True)):
        expected = [line for line in quote["lines"] if line["waits"] == waits]
        yield from unlike(f"the number of lines {name}", len(expected), len(stored))
        for line, row in zip(expected, stored, strict=False):
            yield from _line(line, row)


def _line(line: Json, row: Json) -> Iterator[str]:
    for name in LINE:
        yield from unlike(name, line[name], row[name])
    yield from unlike("amount", line["amount"]["amount"], row["amount"])
    units = [Decimal(unit) if unit is not None else None for unit in (line["unitAmount"], row["unitAmount"])]
    yield from unlike("unit amount", *units)
    if not line["waits"]:
        yield from unlike("description", line["description"], row["description"])


def _totals(shown_totals: Json, documents: list[Json]) -> Iterator[str]:
    for name, column in SUMS:
        stored = sum((Decimal(document[column]) for document in documents), Decimal(0))
        yield from unlike(name, Decimal(shown_totals[name]["amount"]), stored)


def _sums(quote: Json, documents: list[Json]) -> Iterator[str]:
    yield from _totals(quote["dueNow"], documents)
    added = sum((Decimal(document["credit_added"]) for document in documents), Decimal(0))
    yield from unlike("credit added", Decimal(quote["creditAdded"]["amount"]), added)
    expected = [
        (tax["category"], Decimal(tax["ratePercent"]), tax["base"]["amount"], tax["amount"]["amount"])
        for tax in quote["dueNow"]["taxes"]
    ]
    taxes = [
        (tax["category"], Decimal(tax["rate"]), tax["base"], tax["amount"])
        for document in documents
        for tax in document["taxes"]
    ]
    yield from unlike("taxes", expected, taxes)


def _money(document: Json) -> Iterator[str]:
    """The money that a document moved is the money it says."""
    moved = Decimal(document["credit_added"]) - Decimal(document["credit_applied"])
    yield from unlike("credit moved", moved, Decimal(document["credit_moved"]))
    if document["kind"] == "INVOICE":
        yield from unlike("open", document["amount_due"], document["open"])
    else:
        given = Decimal(document["reduced"]) + Decimal(document["credit_added"])
        yield from unlike("given back", -Decimal(document["total"]), given)


def _seats(quote: Json, before: Json, after: Json) -> Iterator[str]:
    """The events of a change are those of its sentence, `5 Editor seats more`; levels are sums of events."""
    new = [event for id, event in after["events"].items() if id not in before["events"]]
    mine = [
        event for event in new if (event["source"], event["effective_at"]) == ("CHANGE", quote["effectiveAt"])
    ]
    said = re.findall(r"(\d+) (\w+) seats? (more|fewer)", quote["summary"].partition(" from today")[0])
    expected = sorted((label.lower(), int(n) if way == "more" else -int(n)) for n, label, way in said)
    stored = sorted((event["metric"], event["added"] - event["removed"]) for event in mine)
    yield from unlike("seats", expected, stored)
    for level, balance in after["levels"].items():
        metric, kind = level.split()
        events = [
            event for event in after["events"].values() if (event["metric"], event["kind"]) == (metric, kind)
        ]
        yield from unlike(level, balance, sum(event["added"] - event["removed"] for event in events))


def unlike(what: str, expected: object, stored: object) -> Iterator[str]:
    """A difference in words, if there is one."""
    if expected != stored:
        yield f"{what}: shown {expected!r}, stored {stored!r}"
