"""The statements that spread the tables over a cluster leave no table and no reference out."""

import re
from pathlib import Path

from app.store.metadata import metadata
from app.store.sharding import statements
from app.store.tables import DEPLOYMENT_TABLES
from app.store.triggers import expected

PAGE = Path(__file__).resolve().parents[2] / "app" / "store" / "README.md"
ALL = tuple(statements())


def named(pattern: str) -> list[str]:
    """What a pattern catches in the statements, in their order."""
    return [found[1] for statement in ALL if (found := re.match(pattern, statement))]


def test_every_table_is_spread_or_everywhere() -> None:
    """Customer data by its customer, beside the customer's row; the deployment's tables on every node."""
    spread = named(r"SELECT create_distributed_table\('(\w+)', 'customer_id'")
    everywhere = named(r"SELECT create_reference_table\('(\w+)'\)")

    assert sorted(everywhere) == sorted(DEPLOYMENT_TABLES)
    assert sorted(spread + everywhere) == sorted(metadata.tables)
    beside = named(r"SELECT create_distributed_table\('(\w+)', 'customer_id', colocate_with => 'customer'\)")
    assert spread == ["customer", *beside]


def test_every_reference_is_taken_down_and_put_back() -> None:
    """Before and after its tables are spread, by the same name; and each guard is taken down."""
    rules = {
        str(rule.name): table.name
        for table in metadata.tables.values()
        for rule in table.foreign_key_constraints
    }
    down = named(r'ALTER TABLE "?\w+"? DROP CONSTRAINT (\w+)')
    up = named(r'ALTER TABLE "?\w+"? ADD CONSTRAINT (\w+) FOREIGN KEY')

    assert down == up
    assert sorted(down) == sorted(rules)
    assert sorted(named(r"DROP TRIGGER (\w+) ON")) == sorted(expected("postgresql"))
    first = next(i for i, statement in enumerate(ALL) if "create_" in statement)
    assert all("DROP" in statement for statement in ALL[:first])


def test_the_page_shows_them() -> None:
    """The list on the page is the one that is made. Paste it there anew when there is a new table."""
    shown = PAGE.read_text(encoding="utf-8").partition("```sql\n")[2].partition("```")[0]

    assert shown == "".join(f"{statement};\n" for statement in ALL if statement.startswith("SELECT create_"))
