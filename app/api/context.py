"""What the resolvers of one request share: who asks, and one state of the rows to read from."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, TypeVar
from uuid import UUID

import strawberry

from app.api.ids import PublicId
from app.api.links import DocumentLinks
from app.api.reading import Reading, Scene
from app.api.scalars import URL
from app.billing.permissions import Actor, Permission
from app.gateways.payments import BY_INVOICE, PaymentGateway
from app.services.change_plan import ChangePlanAnswer
from app.services.collect_payment import collected
from app.services.quotes import QuoteSigner
from app.store.pending import PendingChange
from app.store.transaction import ReadScope, Store, Tx

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(slots=True)
class RequestContext:
    """`info.context` of every resolver. The customer is that of the member; nothing else can be read."""

    actor: Actor
    customer: UUID
    signer: QuoteSigner
    reading: Reading
    gateway: PaymentGateway
    _store: Store
    _scope: ReadScope
    _links: DocumentLinks

    @property
    def sees_money(self) -> bool:
        """Whether the role may see invoices and balances of money."""
        return self.actor.may(Permission.SEE_MONEY)

    async def write(self, unit: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a service that writes, in a transaction of its own; `Busy` if it had no turn."""
        return await self._store.run(self.customer, unit, *args, **kwargs)

    async def ask(self, unit: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a service that only reads, on the state that the whole answer is of."""
        return await self._scope.run(unit, *args, **kwargs)

    async def collected(self, pending: PendingChange) -> ChangePlanAnswer:
        """Have a change paid that waits for it. No transaction is open meanwhile, not even to read."""
        await self._scope.renew()
        return await collected(self._store, self.gateway, self.signer, self.customer, pending)

    def document_url(self, document: PublicId) -> URL:
        """A signed link to the PDF of one of the customer's documents, good for minutes."""
        at = self._store.wall()
        return URL(self._links.sign_document_url(customer=self.customer, document=document, at=at))

    async def after_mutation(self) -> None:
        """Read from now on what the mutation wrote."""
        await self._scope.renew()
        self.reading = Reading(self._scope)

    async def locale(self) -> str:
        """The locale in which the customer reads amounts."""
        return await self.reading.read(_locale)


Info = strawberry.Info[RequestContext, Any]
"""What a resolver is told besides its parent and arguments."""


@dataclass(frozen=True, slots=True)
class Contexts:
    """Opens the context of a request; made once, of the parts that all requests share."""

    store: Store
    signer: QuoteSigner
    links: DocumentLinks
    gateway: PaymentGateway = BY_INVOICE

    @asynccontextmanager
    async def open(self, actor: Actor) -> AsyncIterator[RequestContext]:
        """The context of an actor's request; its reads end with it."""
        assert actor.customer is not None, "GraphQL is for members of a customer"
        async with self.store.reads(actor.customer) as scope:
            yield RequestContext(
                actor=actor,
                customer=actor.customer,
                signer=self.signer,
                reading=Reading(scope),
                gateway=self.gateway,
                _store=self.store,
                _scope=scope,
                _links=self.links,
            )


def _locale(scene: Scene) -> str:
    return scene.customer.locale
