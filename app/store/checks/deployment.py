"""Checks of what belongs to no customer, the numbers of documents, and of every reference between rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlalchemy import ForeignKeyConstraint, Table

from app.store.checks.check import Check
from app.store.metadata import metadata
from app.store.tables import DEPLOYMENT_TABLES

DANGLING: Final = """
    SELECT {columns} FROM "{table}" AS r LEFT JOIN "{target}" AS t ON {same}
    WHERE {of r} AND r."{column}" IS NOT NULL AND t."{theirs}" IS NULL"""


def references() -> Iterator[Check]:
    """A check for each reference between rows of customers: it leads to a row."""
    for table in metadata.sorted_tables:
        rules = sorted(table.foreign_key_constraints, key=lambda rule: str(rule.column_keys))
        if table.name not in DEPLOYMENT_TABLES:
            yield from (_reference(table, rule) for rule in rules)


def _reference(table: Table, rule: ForeignKeyConstraint) -> Check:
    pairs = [(element.parent.name, element.column.name) for element in rule.elements]
    target, column = rule.referred_table.name, pairs[-1][0]
    same = " AND ".join(f't."{theirs}" = r."{own}"' for own, theirs in pairs)
    key = tuple(part.name for part in table.primary_key)
    columns = ", ".join(f'r."{name}"' for name in (*key, *({column} - set(key))))
    sql = DANGLING
    for word, means in {
        "columns": columns,
        "table": table.name,
        "target": target,
        "same": same,
        "column": column,
        "theirs": pairs[-1][1],
    }.items():
        sql = sql.replace(f"{{{word}}}", means)
    owner = column == "customer_id"
    return Check(
        f"references.{table.name}.{column}",
        "I12",
        f"No row of {table.name} is without its {target if owner else column}.",
        sql,
        f"its {column} {{{column}}} is no {target}",
        key=key,
    )


CHECKS: Final = (
    Check(
        "customers.named", "I12", "Every reference by which customers are found is that of one customer.",
        """
        SELECT r.reference, r.customer_id FROM customer_reference AS r
        LEFT JOIN customer AS c ON c.customer_id = r.customer_id AND c.reference = r.reference
        WHERE c.customer_id IS NULL
        UNION ALL
        SELECT c.reference, c.customer_id FROM customer AS c
        LEFT JOIN customer_reference AS r ON r.reference = c.reference AND r.customer_id = c.customer_id
        WHERE r.reference IS NULL""",
        "{customer_id} is no customer of that reference, or is not found by it",
        key=("reference",),
    ),
    Check(
        "numbers.gapless", "I7", "The numbers of a series run from 1 to the last one taken.",
        """
        SELECT s.series, s.last, count(n.value) AS numbers, CASE WHEN min(n.value) = 1 THEN (
            SELECT min(x.value) + 1 FROM number AS x WHERE x.series = s.series AND NOT EXISTS (
                SELECT 1 FROM number AS y WHERE y.series = x.series AND y.value = x.value + 1)
            ) ELSE 1 END AS missing
        FROM number_series AS s LEFT JOIN number AS n ON n.series = s.series GROUP BY s.series, s.last
        HAVING count(n.value) <> s.last OR (s.last > 0 AND (min(n.value) <> 1 OR max(n.value) <> s.last))""",
        "the last number taken is {last}, there are {numbers}, and {missing} is not among them",
        key=("series",),
    ),
    Check(
        "numbers.series", "I7", "Every number is of a series that counts.",
        """
        SELECT n.series, min(n.value) AS value, count(*) AS numbers FROM number AS n
        LEFT JOIN number_series AS s ON s.series = n.series WHERE s.series IS NULL GROUP BY n.series""",
        "there are {numbers} numbers of it, and no counter",
        key=("series",),
    ),
    Check(
        "numbers.documents", "I7", "Every number that was taken is a document's.",
        """
        SELECT n.series, n.value, n.document_id FROM number AS n LEFT JOIN document AS d
        ON d.series = n.series AND d.sequence = n.value AND d.id = n.document_id
        WHERE (SELECT count(*) FROM number) <> (SELECT count(*) FROM document) AND d.id IS NULL""",
        "it was taken for {document_id}, which is no document of that number",
        key=("series", "value"),
    ),
)  # fmt: skip
"""The second half of `documents.numbered`: each document has a number of its own, so if there are as many of
both, each number has a document.
"""
