"""Who is signed in, and what they may do: the one role table of billing, with reasons."""

import strawberry

from app.api.context import Info
from app.api.enums import Role
from app.billing import permissions
from app.billing.permissions import Actor


@strawberry.type(description="Whether the member may do something.")
class Permission:
    """Whether the member may do something."""

    allowed: bool = strawberry.field(
        description="True when the role allows it; other refusals are still possible."
    )
    reason: str | None = strawberry.field(
        description="Why not, and whom to ask, in a sentence; null when it is allowed."
    )

    @classmethod
    def of(cls, actor: Actor, asked: permissions.Permission) -> "Permission":
        refusal = actor.refusal(asked)
        return cls(allowed=refusal is None, reason=refusal.message if refusal else None)


@strawberry.type(
    description="What the member may do: one field for each mutation, and one for seeing money. Hide or "
    "explain what is not allowed; do not rebuild the roles."
)
class Permissions:
    """What the member may do."""

    preview_change_plan: Permission = strawberry.field(
        description="Whether `previewChangePlan` gives this member a quote."
    )
    change_plan: Permission = strawberry.field(
        description="Whether `changePlan` lets this member make a change."
    )
    cancel_scheduled_change: Permission = strawberry.field(
        description="Whether `cancelScheduledChange` lets this member take back a change that waits."
    )
    preview_cancel_subscription: Permission = strawberry.field(
        description="Whether `previewCancelSubscription` shows this member what an end would give back."
    )
    cancel_subscription: Permission = strawberry.field(
        description="Whether `cancelSubscription` lets this member end the subscription."
    )
    preview_resume_subscription: Permission = strawberry.field(
        description="Whether `previewResumeSubscription` shows this member what going on would cost."
    )
    resume_subscription: Permission = strawberry.field(
        description="Whether `resumeSubscription` lets this member take an end back, or end a pause."
    )
    assign_seat: Permission = strawberry.field(
        description="Whether `assignSeat` lets this member give somebody a seat."
    )
    release_seat: Permission = strawberry.field(
        description="Whether `releaseSeat` lets this member take somebody's seat back."
    )
    see_money: Permission = strawberry.field(
        description="Whether invoices, credit notes, the credit balance and billing details are shown; else "
        "they are null, and quotes tell only what a change costs by itself."
    )

    @classmethod
    def of(cls, actor: Actor) -> "Permissions":
        return cls(
            preview_change_plan=Permission.of(actor, permissions.Permission.PREVIEW_CHANGE),
            change_plan=Permission.of(actor, permissions.Permission.CHANGE_PLAN),
            cancel_scheduled_change=Permission.of(actor, permissions.Permission.CANCEL_SCHEDULED_CHANGE),
            preview_cancel_subscription=Permission.of(actor, permissions.Permission.PREVIEW_CHANGE),
            cancel_subscription=Permission.of(actor, permissions.Permission.CANCEL_SUBSCRIPTION),
            preview_resume_subscription=Permission.of(actor, permissions.Permission.PREVIEW_CHANGE),
            resume_subscription=Permission.of(actor, permissions.Permission.RESUME_SUBSCRIPTION),
            assign_seat=Permission.of(actor, permissions.Permission.ASSIGN_SEAT),
            release_seat=Permission.of(actor, permissions.Permission.RELEASE_SEAT),
            see_money=Permission.of(actor, permissions.Permission.SEE_MONEY),
        )


@strawberry.type(description="The person who is signed in.")
class Viewer:
    """The person who is signed in."""

    name: str | None = strawberry.field(description="What to call them; null when the product did not say.")
    email: str | None = strawberry.field(
        description="Their e-mail address; null when the product did not say."
    )
    role: Role = strawberry.field(
        description="Their part in the customer's company, which decides what they see and do."
    )
    permissions: Permissions = strawberry.field(description="What that role lets them do here.")


async def viewer(info: Info) -> Viewer:
    """The member whose token the request bears."""
    actor = info.context.actor
    assert actor.role is not None, "a member has a role"
    return Viewer(
        name=actor.name or None, email=actor.email, role=actor.role, permissions=Permissions.of(actor)
    )
