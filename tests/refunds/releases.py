"""What the tests of releases share: an order that is only reserved, asking for its release, and what reached Vipps."""

import uuid

from refunds import intake, release_intake
from refunds.models import Kind, OrderAccount, Reason, Refund
from stores import access
from stores.models import Order, Store, User
from tests.conftest import Chain
from tests.refunds.asking import ask, run

BERGEN = "100002"


def reserved(chain: Chain, reference: str = "BGO-20261101-8801", amount_minor: int = 50_000) -> Order:
    """Bergen sold it and has taken nothing yet; a refund that was declined for it has shown so to the hub."""
    order = chain.sold(chain.bergen, reference, amount_minor, captured=False)
    run(ask(order, 1_000, who=chain.kari, store=chain.oslo).refund)
    order.refresh_from_db()
    return order


def ask_release(
    order: Order,
    *,
    who: User,
    store: Store,
    key: str | None = None,
    reason: str = Reason.NOT_DELIVERED,
    reason_text: str = "",
) -> intake.Accepted:
    """Ask at the desk of `store`; a new request key unless one is given."""
    return release_intake.request_release(
        order.public_id,
        reason=reason,
        reason_text=reason_text,
        refunding_store=store,
        client_id=intake.client_of(who, store),
        request_key=key or uuid.uuid4().hex,
        asker=who,
        by=access.actor_for(who, store=store),
    )


def cancels(chain: Chain) -> list[tuple[str | None, bool]]:
    """Every cancel that reached Vipps: key, applied."""
    return [(entry.idempotency_key, entry.applied) for entry in chain.simulator.log(operation="cancel")]


def sums(chain: Chain, order: Order) -> tuple[int, int, int]:
    """Authorized, captured, cancelled at Vipps."""
    found = chain.simulator.payment(order.sales_unit.msn, order.reference).sums()
    return found.authorized, found.captured, found.cancelled


def no_money_moved(order: Order) -> bool:
    """Of a release there is no ledger entry, and no balance has changed."""
    account = OrderAccount.objects.get(order=order)
    balances = (account.posted_minor, account.external_minor, account.reserved_minor)
    entries = order.ledger.filter(refund__kind=Kind.RELEASE)
    return balances == (0, 0, 0) and not entries.exists() and not order.ledger.filter(refund=None).exists()


def releases_of(order: Order) -> list[Refund]:
    return list(order.refunds.filter(kind=Kind.RELEASE).order_by("number"))
