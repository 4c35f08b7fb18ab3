"""`seatport explain`."""

from __future__ import annotations

import json
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from app.api.ids import Kind, encode
from app.clock import wall_clock
from app.store import system
from app.store.engine import open_store
from app.store.tables import billing_line
from app.store.transaction import Tx
from tests.cli.conftest import Seatport
from tests.postgres import in_own_loop


def _first_line(tx: Tx) -> UUID:
    query = select(billing_line.c.id).where(billing_line.c.customer_id == tx.customer)
    found: UUID = tx.connection.execute(query.order_by(billing_line.c.id).limit(1)).scalar_one()
    return found


@pytest.fixture
def line(demo_url: str) -> str:
    """The public id of acme's first line: its base fee of 99.00."""

    async def found() -> str:
        store = open_store(demo_url, clock=wall_clock)
        acme = await store.system(system.customer_called, "acme")
        assert acme is not None
        async with store.reads(acme.customer) as scope:
            id = await scope.run(_first_line)
        await store.close()
        return encode(Kind.INVOICE_LINE, id)

    return str(in_own_loop(found()))


def test_a_line_is_derived_for_people_and_for_programs(demo: Seatport, line: str) -> None:
    """People read sentence, formula and steps; programs the same as one JSON object."""
    told, plain = demo("explain", line), demo("explain", line, "--customer", "acme", "--json")

    assert (told.exit_code, plain.exit_code) == (0, 0)
    first, second, *_ = told.stdout.splitlines()
    assert first.startswith("Team plan, base fee, on DEMO-INV-")
    assert second == "99.00 USD = 99.00 USD"
    assert "rounding  99 USD rounded once, half away from zero: 99.00 USD" in told.stdout
    found = json.loads(plain.stdout)
    assert (found["line"], found["amount"], found["currency"]) == (line, "99.00", "USD")
    assert [step["step"] for step in found["steps"]][-2:] == ["rounding", "tax"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("inv_1",), "Error: 'inv_1' is no id of a line. It begins with lin_; copy it whole.\n"),
        (
            (encode(Kind.INVOICE_LINE, uuid4()),),
            "Error: There is no line with this id. Copy it from the invoice's lines.\n",
        ),
        (
            (encode(Kind.INVOICE_LINE, uuid4()), "--customer", "acme"),
            "Error: There is no such line. Check the id.\n",
        ),
    ],
)
def test_what_is_no_line_is_told(demo: Seatport, arguments: tuple[str, ...], message: str) -> None:
    """A malformed id, an id that nobody has, and one that this customer does not have."""
    result = demo("explain", *arguments)

    assert (result.exit_code, result.stderr) == (1, message)
