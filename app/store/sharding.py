"""How the tables are spread over the nodes of a Citus cluster: by customer, so that all of a customer's rows
lie on one node and each of its transactions stays there. The deployment's tables are on every node.

The statements are made from the declared tables, so the list is complete whatever tables there are.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import ForeignKeyConstraint

from app.store.metadata import metadata
from app.store.tables import DEPLOYMENT_TABLES
from app.store.triggers import GUARDS

FIRST = "customer"


def statements() -> Iterator[str]:
    """What makes an empty, migrated database of one node one of many: to be run once, as the owner.

    References are put back when their tables are spread. Triggers are left out: Citus does not promise
    them on distributed tables, so there the rights of the application's role keep history as it is.
    """
    spread = [table for table in metadata.sorted_tables if table.name not in DEPLOYMENT_TABLES]
    assert spread[0].name == FIRST, "every other table refers to it"
    references = [
        rule for table in spread for rule in sorted(table.foreign_key_constraints, key=lambda r: str(r.name))
    ]
    for guard in GUARDS:
        if guard.exists_on("postgresql"):
            yield f'DROP TRIGGER {guard.name} ON "{guard.table}"'
    yield from (f'ALTER TABLE "{rule.table.name}" DROP CONSTRAINT {rule.name!s}' for rule in references)
    yield from (f"SELECT create_reference_table('{name}')" for name in sorted(DEPLOYMENT_TABLES))
    for table in spread:
        beside = "" if table.name == FIRST else f", colocate_with => '{FIRST}'"
        yield f"SELECT create_distributed_table('{table.name}', 'customer_id'{beside})"
    yield from (_put_back(rule) for rule in references)


def _put_back(rule: ForeignKeyConstraint) -> str:
    own = ", ".join(element.parent.name for element in rule.elements)
    theirs = ", ".join(element.column.name for element in rule.elements)
    return (
        f'ALTER TABLE "{rule.table.name}" ADD CONSTRAINT {rule.name!s} FOREIGN KEY ({own}) '
        f'REFERENCES "{rule.referred_table.name}" ({theirs})'
    )
