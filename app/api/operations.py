"""From the text of a document to an operation that may run, and its run.

Parsing and validating cost several times what running does, and clients send the same few documents for
ever; so the outcome is kept, by the hash of the text: of registered documents always, of others for those
used last. A document that fails is not kept.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from inspect import isawaitable
from typing import Any, Final, NamedTuple, Protocol

import strawberry
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLFieldResolver,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    StringValueNode,
    ValidationRule,
    ValuesOfCorrectTypeRule,
    execute,
    parse,
    specified_rules,
    validate,
)
from graphql.validation import ASTValidationRule, MaxIntrospectionDepthRule
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from app import metrics
from app.api import limits
from app.api.allowances import DEFAULT, Limits
from app.api.cost import Cost, Costing, Prices
from app.api.errors import ERRORS_MAX, Code, coded
from app.api.registry import Registry, document_id

DOCUMENTS_MAX: Final = 256
CHARACTERS_MAX: Final = 500_000  # Of all kept documents; a syntax tree takes a hundred times its text.
IS_AWAITABLE: Final[Any] = optimized_is_awaitable  # Quicker than graphql-core's own for plain values.
PARSER_LIMITS: Final = (
    "contains more than",
    "nested too deeply",
)  # Its limits have no exception of their own.
NOT_REGISTERED: Final = (
    "Only the stored operations of this server run here. Send one by its text as it is stored, or by its "
    "`documentId`."
)
NUL_REFUSED: Final = "A text holds the character U+0000, which nothing here can store. Leave it out."


class Context(Protocol):
    """What resolvers find in `info.context`, as far as the transport cares."""

    async def after_mutation(self) -> None:
        """Open the read scope afresh, so that what follows a mutation sees what it did."""
        ...

    async def locale(self) -> str:
        """The BCP 47 tag in which the customer reads amounts."""
        ...


class _UserInputRule(ValidationRule):
    """What it reports is the user's input, not a malformed request."""

    def report_error(self, error: GraphQLError) -> None:
        error.extensions = {"code": Code.BAD_USER_INPUT}
        super().report_error(error)


class _ValuesOfCorrectType(_UserInputRule, ValuesOfCorrectTypeRule):
    pass


class _OneOfInput(_UserInputRule, OneOfInputValidationRule):
    pass


class _MaybeNull(_UserInputRule, MaybeNullValidationRule):
    pass


class _NoNul(_UserInputRule):
    """PostgreSQL cannot store U+0000, and no text of a person holds it."""

    def enter_string_value(self, node: StringValueNode, *_: Any) -> None:
        if "\0" in node.value:
            self.report_error(GraphQLError(NUL_REFUSED, node))


RULES: Final[tuple[type[ASTValidationRule], ...]] = (
    *(_ValuesOfCorrectType if rule is ValuesOfCorrectTypeRule else rule for rule in specified_rules),
    MaxIntrospectionDepthRule,
    _OneOfInput,
    _MaybeNull,
    _NoNul,
)


class NotServable(Exception):
    """A registered document could never run, so the server must not start."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a document may not run."""

    errors: list[GraphQLError]


@dataclass(frozen=True, slots=True)
class Document:
    """A document that is valid against the schema and within the limits."""

    syntax: DocumentNode
    costing: Costing
    length: int

    def operation(self, name: str | None) -> OperationDefinitionNode | Refused:
        """The operation to run: the one of this name, or the only one."""
        operations = [node for node in self.syntax.definitions if isinstance(node, OperationDefinitionNode)]
        chosen = [node for node in operations if name is None or (node.name and node.name.value == name)]
        if len(chosen) == 1:
            return chosen[0]
        names = ", ".join(node.name.value for node in operations if node.name)
        if name is None:
            message = (
                f"This document has several operations: {names}. Name the one to run in `operationName`."
            )
        else:
            message = (
                f"This document has no operation named {name!r}. It has: {names or 'one without a name'}."
            )
        return Refused([coded(message, Code.BAD_REQUEST)])


class Ready(NamedTuple):
    """An operation that may run."""

    document: Document
    operation: OperationDefinitionNode

    @property
    def name(self) -> str | None:
        """What the document calls it; None where it is the only one, without a name."""
        return self.operation.name.value if self.operation.name else None

    @property
    def is_mutation(self) -> bool:
        """Whether it may change something."""
        return self.operation.operation is OperationType.MUTATION

    def cost(self, variables: Mapping[str, Any]) -> Cost:
        """What it may cost with these variables."""
        return self.document.costing.cost(self.name, variables)


@dataclass(frozen=True, slots=True)
class Rules:
    """What a deployment lets run: how large, which documents, and whether the schema is told."""

    limits: Limits = DEFAULT
    registry: Registry = field(default_factory=Registry)
    registered_only: bool = False
    introspection: bool = True


class Documents:
    """The documents a schema was asked with last, parsed, validated and within the limits."""

    def __init__(self, schema: GraphQLSchema, rules: Rules | None = None) -> None:
        self._schema = schema
        self._rules = rules or Rules()
        self._prices = Prices(schema)
        self._registered: dict[str, Document] = {}
        self._kept: OrderedDict[str, Document] = OrderedDict()
        self._characters = 0

    def __len__(self) -> int:
        return len(self._kept)

    def document(self, text: str) -> Document | Refused:
        """The document of a text, or why it may not run."""
        key = document_id(text)
        registered = self._registered.get(key)
        if registered is not None:
            metrics.GRAPHQL_DOCUMENTS.labels("registered").inc()
            return registered
        if key not in self._rules.registry.texts and self._rules.registered_only:
            metrics.LIMITED.labels("documents").inc()
            return Refused([coded(NOT_REGISTERED, Code.UNKNOWN_DOCUMENT)])
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
            metrics.GRAPHQL_DOCUMENTS.labels("kept").inc()
            return kept
        metrics.GRAPHQL_DOCUMENTS.labels("parsed").inc()
        prepared = self._prepared(text)
        if isinstance(prepared, Document):
            self._keep(key, prepared)
        return prepared

    def knows(self, text: str) -> bool:
        """Whether the document of a text is ready to run, without more work."""
        key = document_id(text)
        return key in self._registered or key in self._kept

    def named(self, id: str) -> str | None:
        """The text of a registered document."""
        return self._rules.registry.texts.get(id)

    def prepare_registered(self) -> None:
        """Parse and validate every registered document now, not when it is first asked for.

        :raises NotServable: if one of them could never run
        """
        for id, text in self._rules.registry.texts.items():
            prepared = self._registered.get(id) or self._prepared(text)
            if isinstance(prepared, Refused):
                raise NotServable(f"A stored operation cannot run: {prepared.errors[0].message}\n{text}")
            self._registered[id] = prepared

    def _prepared(self, text: str) -> Document | Refused:
        rules, tokens = self._rules, self._rules.limits.tokens
        try:
            syntax = parse(text, max_lexical_tokens=tokens, max_comments=tokens)
        except GraphQLError as error:
            too_complex = any(words in error.message for words in PARSER_LIMITS)
            if too_complex:
                metrics.LIMITED.labels("tokens").inc()
            error.extensions = {"code": Code.TOO_COMPLEX if too_complex else Code.BAD_REQUEST}
            return Refused([error])
        errors = limits.check(syntax, rules.limits, introspection=rules.introspection) or validate(
            self._schema, syntax, RULES, max_errors=ERRORS_MAX, hide_suggestions=True
        )
        return Refused(errors) if errors else Document(syntax, self._prices.costing(syntax), len(text))

    def _keep(self, key: str, document: Document) -> None:
        if key in self._rules.registry.texts:
            self._registered[key] = document
            return
        self._kept[key] = document
        self._characters += document.length
        while len(self._kept) > DOCUMENTS_MAX or self._characters > CHARACTERS_MAX:
            _, dropped = self._kept.popitem(last=False)
            self._characters -= dropped.length


class Operations:
    """A schema that runs operations."""

    def __init__(self, schema: strawberry.Schema, rules: Rules | None = None) -> None:
        self._schema: GraphQLSchema = schema._schema  # noqa: SLF001  Strawberry has no public name for it.
        self._executor = schema.execution_context_class
        self.rules = rules or Rules()
        self.documents = Documents(self._schema, self.rules)
        _reopen_reads_after_mutations(self._schema)

    def ready(self, text: str, name: str | None) -> Ready | Refused:
        """The operation of a document to run, or why none may."""
        document = self.documents.document(text)
        if isinstance(document, Refused):
            return document
        operation = document.operation(name)
        return operation if isinstance(operation, Refused) else Ready(document, operation)

    async def run(self, ready: Ready, variables: dict[str, Any], context: Context) -> ExecutionResult:
        """Run an operation; a result without data and without paths means that its variables were refused."""
        result = execute(
            self._schema,
            ready.document.syntax,
            context_value=context,
            variable_values=variables,
            operation_name=ready.name,
            max_coercion_errors=ERRORS_MAX,
            executor_class=self._executor,
            is_awaitable=IS_AWAITABLE,
            hide_suggestions=True,
        )
        return await result if isawaitable(result) else result


def _reopen_reads_after_mutations(schema: GraphQLSchema) -> None:
    """Wrap the mutation fields, once, so that what a client selects below them is read after the change."""
    fields = schema.mutation_type.fields if schema.mutation_type else {}
    for each in fields.values():
        assert each.resolve is not None, "every mutation has a resolver"
        if not hasattr(each.resolve, "reopens_reads"):
            each.resolve = _then_reopened(each.resolve)


def _then_reopened(resolver: GraphQLFieldResolver) -> Callable[..., Any]:
    async def resolve(source: Any, info: Any, **arguments: Any) -> Any:
        result = resolver(source, info, **arguments)
        if isawaitable(result):
            result = await result
        await info.context.after_mutation()
        return result

    resolve.reopens_reads = True  # type: ignore[attr-defined]
    return resolve
