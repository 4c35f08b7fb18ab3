"""From the text of a document to an operation that may run, and its run.

Parsing and validating cost several times what running does, and clients send the same few documents for
ever; so the outcome is kept, by the hash of the text, for the documents used last. A document that fails is
not kept.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
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

from app.api import limits
from app.api.errors import ERRORS_MAX, Code, coded

TOKENS_MAX: Final = 2000
DOCUMENTS_MAX: Final = 256
CHARACTERS_MAX: Final = 500_000  # Of all kept documents; a syntax tree takes a hundred times its text.
IS_AWAITABLE: Final[Any] = optimized_is_awaitable  # Quicker than graphql-core's own for plain values.
PARSER_LIMITS: Final = (
    "contains more than",
    "nested too deeply",
)  # Its limits have no exception of their own.
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


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a document may not run."""

    errors: list[GraphQLError]


@dataclass(frozen=True, slots=True)
class Document:
    """A document that is valid against the schema and within the limits."""

    syntax: DocumentNode
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


class Documents:
    """The documents a schema was asked with last, parsed, validated and within the limits."""

    def __init__(self, schema: GraphQLSchema, allowed: limits.Limits = limits.DEFAULT) -> None:
        self._schema = schema
        self._allowed = allowed
        self._kept: OrderedDict[bytes, Document] = OrderedDict()
        self._characters = 0

    def __len__(self) -> int:
        return len(self._kept)

    def document(self, text: str) -> Document | Refused:
        """The document of a text, or why it may not run."""
        key = hashlib.sha256(text.encode(errors="surrogatepass")).digest()
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
            return kept
        prepared = self._prepared(text)
        if isinstance(prepared, Document):
            self._keep(key, prepared)
        return prepared

    def _prepared(self, text: str) -> Document | Refused:
        try:
            syntax = parse(text, max_lexical_tokens=TOKENS_MAX, max_comments=TOKENS_MAX)
        except GraphQLError as error:
            too_complex = any(words in error.message for words in PARSER_LIMITS)
            error.extensions = {"code": Code.TOO_COMPLEX if too_complex else Code.BAD_REQUEST}
            return Refused([error])
        errors = limits.check(syntax, self._allowed) or validate(
            self._schema, syntax, RULES, max_errors=ERRORS_MAX, hide_suggestions=True
        )
        return Refused(errors) if errors else Document(syntax, len(text))

    def _keep(self, key: bytes, document: Document) -> None:
        self._kept[key] = document
        self._characters += document.length
        while len(self._kept) > DOCUMENTS_MAX or self._characters > CHARACTERS_MAX:
            _, dropped = self._kept.popitem(last=False)
            self._characters -= dropped.length


class Operations:
    """A schema that runs operations."""

    def __init__(self, schema: strawberry.Schema, allowed: limits.Limits = limits.DEFAULT) -> None:
        self._schema: GraphQLSchema = schema._schema  # noqa: SLF001  Strawberry has no public name for it.
        self._executor = schema.execution_context_class
        self.documents = Documents(self._schema, allowed)
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
            operation_name=ready.operation.name.value if ready.operation.name else None,
            max_coercion_errors=ERRORS_MAX,
            executor_class=self._executor,
            is_awaitable=IS_AWAITABLE,
            hide_suggestions=True,
        )
        return await result if isawaitable(result) else result


def _reopen_reads_after_mutations(schema: GraphQLSchema) -> None:
    """Wrap the mutation fields, once, so that what a client selects below them is read after the change."""
    fields = schema.mutation_type.fields if schema.mutation_type else {}
    for field in fields.values():
        assert field.resolve is not None, "every mutation has a resolver"
        if not hasattr(field.resolve, "reopens_reads"):
            field.resolve = _then_reopened(field.resolve)


def _then_reopened(resolver: GraphQLFieldResolver) -> Callable[..., Any]:
    async def resolve(source: Any, info: Any, **arguments: Any) -> Any:
        result = resolver(source, info, **arguments)
        if isawaitable(result):
            result = await result
        await info.context.after_mutation()
        return result

    resolve.reopens_reads = True  # type: ignore[attr-defined]
    return resolve
