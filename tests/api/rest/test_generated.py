"""Whatever the OpenAPI document allows to be sent, made from it at random by schemathesis: no fault, and no
status and no body that the document does not have.

`make test` tries a slice of it, always the same; `make fuzz` tries much more of each operation.
"""

import asyncio
import os
from collections import Counter
from typing import Any, Final

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api.rest.caller import Caller

SLICE: Final = 12
EXAMPLES: Final = int(os.environ.get("REQUESTS", SLICE))
KNOWN: Final = {"reference": "acme", "metric": "editor"}
CHECKS: Final = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance
]  # fmt: skip


async def known_ids(caller: Caller) -> dict[str, dict[str, str]]:
    """Ids that exist, by the beginning of the paths they are for."""
    invoices = await caller.get("/v1/invoices?customer=acme")
    hook = await caller.post("/v1/webhook-endpoints", {"url": "http://127.0.0.1:9/hooks"})
    return {
        "/v1/invoices": {"id": invoices["invoices"][0]["id"]},
        "/v1/webhook-endpoints": {"endpoint": hook["endpoint"]["id"]},
        "/v1/customers": KNOWN,
    }


def cases(operation: Any, ids: dict[str, dict[str, str]]) -> st.SearchStrategy[Any]:
    """Good and bad requests of an operation, for what exists and for anything."""
    named = [parameter.name for parameter in operation.path_parameters]
    known = next((found for path, found in ids.items() if operation.path.startswith(path)), {})
    path = {name: known[name] for name in named if name in known}
    strategies = [
        operation.as_strategy(generation_mode=mode, **more)
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
        for more in ([{}, {"path_parameters": path}] if path and len(path) == len(named) else [{}])
    ]
    return st.one_of(strategies)


@pytest.mark.parametrize("engine_name", ["sqlite"])
async def test_no_request_is_a_fault(
    caller: Caller, engine_name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every operation is asked for by good and by bad requests: each answer has a status under 500 that the
    document names, and a body of the form that it says.
    """
    assert engine_name
    loop, ids = asyncio.get_running_loop(), await known_ids(caller)
    api = schemathesis.openapi.from_dict(caller.document)
    statuses: Counter[int] = Counter()

    async def sent(case: Any) -> httpx.Response:
        told = case.as_transport_kwargs(base_url="https://billing.example")
        headers = {**told.pop("headers", {}), "Authorization": f"Bearer {caller.key}"}
        content = {name: told[name] for name in ("params", "json") if told.get(name) is not None}
        if (data := told.get("data")) is not None:
            content["data" if isinstance(data, dict) else "content"] = data
        return await caller.http.request(told["method"], told["url"], headers=headers, **content)

    def try_all() -> None:
        for found in api.get_all_operations():
            assert isinstance(found, Ok), found
            operation = found.ok()

            @settings(
                max_examples=EXAMPLES,
                derandomize=EXAMPLES == SLICE,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
            )
            @given(case=cases(operation, ids))
            def one(case: Any) -> None:
                answer = asyncio.run_coroutine_threadsafe(sent(case), loop).result()
                statuses[answer.status_code] += 1
                case.validate_response(answer, checks=CHECKS)

            one()

    await asyncio.to_thread(try_all)
    with capsys.disabled():
        print(f"\n{statuses.total()} generated requests: {dict(sorted(statuses.items()))}")  # noqa: T201
    assert statuses.keys() >= {200, 400, 404, 422}
