"""How the tests' cast asks for a refund, and runs it as a worker would."""

import uuid

from refunds import execution, intake
from refunds.lines import Wanted
from refunds.models import Reason, Refund
from stores import access
from stores.actors import hub
from stores.models import Order, Store, User
from stores.money import Money


def ask(
    order: Order,
    amount_minor: int,
    *,
    who: User,
    store: Store,
    key: str | None = None,
    reason: str = Reason.RETURNED,
    reason_text: str = "",
    currency: str | None = None,
    goods: Wanted | None = None,
    has_receipt: bool = True,
    confirms_duplicate: bool = False,
) -> intake.Accepted:
    """Ask at the desk of `store`; a new request key unless one is given."""
    return intake.request_refund(
        order.public_id,
        Money(amount_minor=amount_minor, currency=currency or order.currency),
        reason=reason,
        reason_text=reason_text,
        refunding_store=store,
        client_id=intake.client_of(who, store),
        request_key=key or uuid.uuid4().hex,
        asker=who,
        by=access.actor_for(who, store=store),
        goods=goods,
        has_receipt=has_receipt,
        confirms_duplicate=confirms_duplicate,
    )


def run(refund: Refund) -> Refund:
    """One step of a worker; the refund as it then is."""
    execution.run(refund.pk, by=hub("worker"))
    refund.refresh_from_db()
    return refund


def make_due(refund: Refund) -> None:
    """Let the waiting time pass."""
    Refund.objects.filter(pk=refund.pk).update(next_action_at=refund.accepted_at)
