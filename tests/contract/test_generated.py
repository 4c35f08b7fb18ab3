"""Whatever the schema allows to be asked, in queries and mutations that are made from it at random: no fault.

`make test` tries a slice of them, always the same; `make fuzz` tries 50,000.
"""

import asyncio
import os
from collections import Counter
from typing import Final

import pytest
from graphql import StringValueNode, ValueNode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import mutations, nodes, queries

from app.api.allowances import Limits
from app.api.schema import schema, sdl
from tests.api.schema.test_statements import grow
from tests.api.serving import door_of
from tests.api.world import World
from tests.contract.test_dearest import ids_of

SLICE: Final = 250
EXAMPLES: Final = int(os.environ.get("QUERIES", SLICE))
LOOSE: Final = Limits(
    tokens=20_000,
    depth=50,
    aliases=500,
    fields=5_000,
    root_fields=50,
    repeats=500,
    statements=9_999,
    cost=10**6,
)
"""So that nearly everything runs: what the limits refuse, other tests look at."""
WORDS: Final = (
    "editor",
    "viewer",
    "team",
    "solo",
    "business",
    "user-1",
    "",
    "key",
    "%_",
    "'",
    "\U0001f600",
    "é" * 300,
)
NUMBERS: Final = (0, 1, 2, 5, 20, 100, 101, -1, 2**31 - 1, -(2**31))
DAYS: Final = ("2026-04-01", "2026-04-16", "2026-02-30", "", "9999-12-31", "0001-01-01")
INSTANTS: Final = (
    "2026-04-10T00:00:00Z",
    "2026-04-10T00:00:00",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
)


def texts(*values: str, also: st.SearchStrategy[str] | None = None) -> st.SearchStrategy[ValueNode]:
    """Literals of texts: of these, and others."""
    drawn = st.sampled_from(values) if also is None else st.sampled_from(values) | also
    return drawn.map(lambda value: StringValueNode(value=value))


def generated(ids: dict[str, str]) -> st.SearchStrategy[str]:
    """Queries and mutations over all types, whose values are often such as exist."""
    scalars = {
        "ID": texts(*ids.values(), "inv_x", "", also=st.text()),
        "String": texts(*WORDS, also=st.text()),
        "Int": (st.sampled_from(NUMBERS) | st.integers(-(2**31), 2**31 - 1)).map(nodes.Int),
        "Date": texts(*DAYS, also=st.dates().map(str)),
        "DateTime": texts(*INSTANTS, also=st.datetimes().map(lambda at: f"{at.isoformat()}Z")),
        "Decimal": texts("1.5", "-3", also=st.decimals().map(str)),
        "CurrencyCode": texts("USD", "EUR", "usd"),
        "URL": texts("https://a.example"),
    }
    assert schema._schema.mutation_type is not None
    each_mutation = (
        mutations(sdl(), fields=[name], custom_scalars=scalars)
        for name in schema._schema.mutation_type.fields
    )
    return st.one_of(queries(sdl(), custom_scalars=scalars), *each_mutation)


@pytest.mark.parametrize("engine_name", ["sqlite"])
async def test_no_query_is_a_fault(
    world: World, engine_name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every answer is JSON with a status under 500, and no error in it is a fault of ours."""
    assert engine_name
    codes: Counter[str] = Counter()
    await grow(world, 2, since=0)
    async with door_of(world, limits=LOOSE) as door:
        ids = await ids_of(door)

        loop = asyncio.get_running_loop()

        @settings(
            max_examples=EXAMPLES,
            derandomize=EXAMPLES == SLICE,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(query=generated(ids))
        def asked(query: str) -> None:
            answer = asyncio.run_coroutine_threadsafe(door.ask(query), loop).result()
            assert answer.status_code == 200, (answer.text, query)
            errors = answer.json().get("errors", [])
            found = {error["extensions"]["code"] for error in errors}
            codes.update(found or {"data"})
            assert "INTERNAL" not in found, (answer.text, query)

        await asyncio.to_thread(asked)
    with capsys.disabled():
        print(f"\n{codes.total()} generated queries: {dict(codes)}")  # noqa: T201
    assert codes["data"] > codes.total() / 20
