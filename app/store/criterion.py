"""Refuses a statement that does not say of which customer.

Every table of customer data that a statement names must be held to the transaction's customer: compared with
it, or joined by the customer to a table that is. A criterion that is one of several alternatives holds
nothing. How a statement is made is looked at once for each form that SQLAlchemy compiles and keeps; with
each call only the values are compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Delete, Insert, Table, Update, event
from sqlalchemy.engine import Engine
from sqlalchemy.sql import operators
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import (
    BinaryExpression,
    BindParameter,
    BooleanClauseList,
    ClauseElement,
    ColumnElement,
    Grouping,
)
from sqlalchemy.sql.selectable import AliasedReturnsRows, FromClause, Join, Select, SelectBase

from app.metrics import STATEMENTS_REFUSED
from app.store.raw_criterion import owners_in
from app.store.scope import NotItsCustomer, Scope, leave, scope_of

OWNER: Final = "customer_id"
WRITES: Final = (Insert, Update, Delete)


@dataclass(slots=True)
class Held:
    """How a statement is held to a customer: the parameters that must be this customer, or what is wrong."""

    parameters: set[str] = field(default_factory=set)
    inserts: bool = False
    tables: bool = False
    problem: str | None = None


def watch(engine: Engine, tenants: frozenset[str]) -> None:
    """Refuse what an engine is asked to send, if it does not say of which customer.

    :param tenants: the names of the tables of customer data
    """
    seen: WeakKeyDictionary[Any, Held] = WeakKeyDictionary()

    @event.listens_for(engine, "begin")
    def forget(connection: Connection) -> None:
        leave(connection)

    @event.listens_for(engine, "before_cursor_execute")
    def look(
        connection: Connection, _cursor: Any, statement: str, parameters: Any, context: Any, *_: Any
    ) -> None:
        scope = scope_of(connection)
        if scope.across:
            return
        compiled = context.compiled
        if not isinstance(compiled, SQLCompiler):  # Not compiled at all, or DDL.
            check_raw(scope, statement, parameters, tenants)
            return
        held = seen.get(compiled)
        if held is None:
            held = seen[compiled] = held_by(compiled, tenants)
        check(scope, held, context.compiled_parameters, statement, tenants)


def check(
    scope: Scope, held: Held, given: Iterable[dict[str, Any]], statement: str, tenants: frozenset[str]
) -> None:
    """Refuse a compiled statement whose form or values are not held to the customer.

    :raises NotItsCustomer: if they are not
    """
    if not held.tables:
        check_raw(scope, statement, (), tenants)
        return
    if held.problem is not None or scope.customer is None:
        refuse(held.problem or "nobody's rows may be touched here", statement)
    for values in given:
        owners = [values[name] for name in held.parameters]
        if held.inserts:
            owners += [
                value for name, value in values.items() if name == OWNER or name.startswith("customer_id_m")
            ]
        if any(owner != scope.customer for owner in owners):
            refuse("it is for another customer", statement)
        if held.inserts and not owners:
            refuse("it inserts rows of no customer", statement)


def check_raw(scope: Scope, statement: str, parameters: Any, tenants: frozenset[str]) -> None:
    """Refuse a statement given as text that is not held to the customer.

    :raises NotItsCustomer: if it is not
    """
    owners = owners_in(statement, parameters, tenants)
    if owners is None:
        return
    mine = {scope.customer, str(scope.customer)} if scope.customer else set()
    if not owners or not owners <= mine:
        refuse("its text does not hold it to the customer", statement)


def refuse(why: str, statement: str) -> None:
    """Keep a statement from being sent.

    :raises NotItsCustomer: always
    """
    STATEMENTS_REFUSED.inc()
    raise NotItsCustomer(f"This statement was not sent: {why}. {statement}")


def held_by(compiled: Any, tenants: frozenset[str]) -> Held:
    """How a compiled statement is held to a customer."""
    look = _Look(tenants)
    look.statement(compiled.statement, frozenset())
    names = compiled.bind_names
    look.held.parameters = {names[bind] for bind in look.binds if bind in names}
    return look.held


Place = Any
"""A table, an alias of one, or another thing that rows come from, as it stands in one statement."""


class _Look:
    """Goes through a statement, from the outside in."""

    def __init__(self, tenants: frozenset[str]) -> None:
        self.tenants = tenants
        self.held = Held()
        self.binds: set[BindParameter[Any]] = set()
        self.seen: set[int] = set()

    def statement(self, node: ClauseElement, around: frozenset[Place]) -> None:
        """A SELECT, INSERT, UPDATE or DELETE; `around` are the places of those around it that are held."""
        if isinstance(node, Select):
            known = self._select(node, around)
        elif isinstance(node, WRITES):
            known = self._write(node, around)
        else:
            known = around
        for nested in _nested(node):
            own = isinstance(nested, AliasedReturnsRows)
            inner = nested.element if own else nested
            if id(inner) not in self.seen:
                self.seen.add(id(inner))
                self.statement(inner, frozenset() if own else known)

    def _select(self, node: Select[Any], around: frozenset[Place]) -> frozenset[Place]:
        froms = node.get_final_froms()
        joined = list(_joined(froms))
        places = {place for place in joined if not isinstance(place, Join)}
        if len(froms) > 1:  # SQLAlchemy takes a lone table for another row of it, not for the one around it.
            places -= around
        facts = [(places, list(_terms(node.whereclause)))]
        for join in joined:
            if isinstance(join, Join) and not join.full:
                right = {place for place in _joined([join.right]) if not isinstance(place, Join)}
                facts.append((right if join.isouter else places, list(_terms(join.onclause))))
        known: frozenset[Place] = around - places
        before = None
        while before != known:
            before = known
            for of, terms in facts:
                known = self._held(of, terms, known)
        self._judge(places, known)
        return known

    def _write(self, node: Any, around: frozenset[Place]) -> frozenset[Place]:
        if isinstance(node, Insert):
            if self._is_tenant(node.table):
                self.held.tables = self.held.inserts = True
            return around
        terms = [term for clause in node._where_criteria for term in _terms(clause)]  # noqa: SLF001  No public name.
        places = {node.table, *(side.table for term in terms for side in _sides(term) if _has_table(side))}
        known = self._held(places - around, terms, around)
        self._judge(places - around, known)
        return known

    def _held(
        self, places: set[Place], terms: Iterable[ClauseElement], known: frozenset[Place]
    ) -> frozenset[Place]:
        """The places that are held, of these and of those known, when all these terms are true."""
        held = known | {place for place in places if not self._is_tenant(place)}
        pairs = [term for term in terms if _is_equality(term)]
        grew = True
        while grew:
            grew = False
            for pair in pairs:
                for one, other in (_sides(pair), reversed(_sides(pair))):
                    place = getattr(one, "table", None)
                    if (
                        getattr(one, "name", None) != OWNER
                        or place is None
                        or place in held
                        or place not in places
                    ):
                        continue
                    if isinstance(other, BindParameter):
                        self.binds.add(other)
                    elif not (
                        getattr(other, "name", None) == OWNER and getattr(other, "table", None) in held
                    ):
                        continue
                    held, grew = held | {place}, True
        return held

    def _judge(self, places: set[Place], known: frozenset[Place]) -> None:
        for place in places:
            if self._is_tenant(place):
                self.held.tables = True
                if place not in known:
                    self.held.problem = f"it does not say of which customer its rows of {place} are"

    def _is_tenant(self, place: Place) -> bool:
        table = place.element if isinstance(place, AliasedReturnsRows) else place
        return isinstance(table, Table) and table.name in self.tenants


def _joined(froms: Iterable[FromClause]) -> Iterator[Any]:
    """Joins, and the places that they join, the left before the right."""
    for place in froms:
        if isinstance(place, Join):
            yield from _joined([place.left, place.right])
            yield place
        else:
            yield place


def _terms(clause: Any) -> Iterator[ClauseElement]:
    """What must all be true for a clause to be."""
    if isinstance(clause, Grouping):
        yield from _terms(clause.element)
    elif isinstance(clause, BooleanClauseList) and clause.operator is operators.and_:
        for each in clause.clauses:
            yield from _terms(each)
    elif clause is not None:
        yield clause


def _is_equality(term: ClauseElement) -> bool:
    return isinstance(term, BinaryExpression) and term.operator is operators.eq


def _sides(term: Any) -> list[ColumnElement[Any]]:
    return [term.left, term.right] if isinstance(term, BinaryExpression) else []


def _has_table(side: Any) -> bool:
    return getattr(side, "table", None) is not None


def _nested(node: ClauseElement) -> Iterator[Any]:
    """The statements that stand directly in this one: in its clauses as they are, in its FROM by an alias."""
    stack = list(node.get_children())
    while stack:
        child = stack.pop()
        if isinstance(getattr(child, "element", child), SelectBase):
            yield child
        elif isinstance(child, AliasedReturnsRows) and isinstance(child.element, AliasedReturnsRows):
            stack.append(child.element)
        elif not isinstance(child, Table):
            stack += child.get_children()
