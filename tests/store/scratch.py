"""Tables of no meaning, to try the store's doors, column types and guards on, and the units that use them."""

from datetime import timedelta
from enum import Enum
from uuid import UUID

from sqlalchemy import (
    Column,
    Connection,
    Index,
    MetaData,
    Text,
    UniqueConstraint,
    func,
    insert,
    literal,
    select,
    update,
)

from app.store import triggers
from app.store.columns import Count, Day, Exact, Flag, Id, Instant, Json, Minor, choice, total
from app.store.metadata import table
from app.store.transaction import DeploymentTx, Tx

scratch = MetaData()


class Colour(Enum):
    """Something to choose from."""

    RED = "RED"
    GREEN = "GREEN"


counter = table(
    "counter",
    Column("customer_id", Id, primary_key=True),
    Column("value", Count, nullable=False),
    within=scratch,
)
sample = table(
    "sample",
    Column("id", Id, primary_key=True),
    Column("instant", Instant),
    Column("day", Day),
    Column("count", Count),
    Column("minor", Minor),
    Column("exact", Exact),
    Column("flag", Flag),
    Column("json", Json),
    choice("colour", Colour, nullable=True),
    within=scratch,
)
ledger = table(
    "ledger",
    Column("customer_id", Id, primary_key=True),
    Column("id", Id, primary_key=True),
    Column("key", Text, nullable=False),
    Column("added", Count, nullable=False),
    UniqueConstraint("customer_id", "key"),
    within=scratch,
)
line = table(
    "line",
    Column("id", Id, primary_key=True),
    Column("amount", Minor, nullable=False),
    Column("document_id", Id),
    Column("position", Count),
    Index("line_position", "document_id", "position", unique=True),
    within=scratch,
)
paper = table(
    "paper",
    Column("id", Id, primary_key=True),
    Column("status", Text, nullable=False),
    Column("total", Minor, nullable=False),
    Column("paid", Minor, nullable=False),
    within=scratch,
)
file = table(
    "file",
    Column("id", Id, primary_key=True),
    Column("content", Text, nullable=False),
    within=scratch,
)

GUARDS = (
    *triggers.append_only(ledger),
    *triggers.append_only(file, first_wins=True),
    *triggers.append_only_except(line, {"document_id", "position"}),
    *triggers.frozen_when(paper, "{row}.status <> 'DRAFT'", but={"status", "paid"}),
    *triggers.update_refused(
        paper,
        "reopened",
        "OLD.status <> 'DRAFT' AND NEW.status = 'DRAFT'",
        "paper: what is final is never a draft again",
    ),
)


def no_offset(connection: Connection, _customer: UUID, /, *, lock: bool) -> timedelta:
    """Every customer's clock shows the time of the wall clock: there is no table of customers."""
    return timedelta(connection.execute(select(literal(0))).scalar_one())


def make(tx: DeploymentTx) -> None:
    """Make the scratch tables and their triggers."""
    scratch.create_all(tx.connection)
    triggers.install(tx.connection, GUARDS)


def start_counting(tx: Tx) -> None:
    """The customer's counter begins at 0."""
    tx.connection.execute(insert(counter).values(customer_id=tx.customer, value=0))


def count(tx: Tx) -> int:
    """What the customer's counter shows."""
    own = counter.c.customer_id == tx.customer
    return int(tx.connection.execute(select(counter.c.value).where(own)).scalar_one())


def count_up(tx: Tx) -> int:
    """Read, decide, write: the counter shows one more, which is returned."""
    own = counter.c.customer_id == tx.customer
    seen = tx.connection.execute(select(counter.c.value).where(own).with_for_update()).scalar_one()
    tx.connection.execute(update(counter).where(own).values(value=seen + 1))
    return int(seen) + 1


def append_pair(tx: Tx, key: str) -> None:
    """Two ledger rows that cancel out: whoever sees one must see the other."""
    for sign in (1, -1):
        row = {"customer_id": tx.customer, "id": tx.new_id(), "key": f"{key}:{sign}", "added": sign}
        tx.connection.execute(insert(ledger).values(row))


def seen(tx: Tx) -> tuple[int, int]:
    """How many ledger rows the customer has, and their sum."""
    query = select(func.count(), total(ledger.c.added)).where(ledger.c.customer_id == tx.customer)
    rows, balance = tx.connection.execute(query).one()
    return int(rows), int(balance)
