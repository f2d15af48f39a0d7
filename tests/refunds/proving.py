"""What the tests of evidence share: a Vipps without rate limits, looking again later, and a hand in Vipps' own log."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from refunds import identity
from refunds.models import OrderAccount, Refund
from stores import clock, sessions
from stores.vipps.simulator import Fault, FaultKind, Simulator, Switches
from stores.vipps.wsgi_transport import WsgiTransport
from tests.conftest import Chain
from tests.refunds.asking import make_due, run

BERGEN = "100002"


@contextmanager
def simulated(switches: Switches) -> Iterator[Simulator]:
    """A fresh Vipps that behaves so, behind every session."""
    simulator = Simulator(seed=1, switches=switches)
    sessions.forget_all()
    with sessions.use_transport(WsgiTransport(simulator.wsgi)):
        yield simulator
    sessions.forget_all()


def again(refund: Refund) -> Refund:
    make_due(refund)
    return run(refund)


def later(refund: Refund, **much: float) -> Refund:
    """The same as `again`, that much later by every clock that the hub believes."""
    moment = datetime.now(UTC) + timedelta(**much)
    with clock.bound(clock.Source(now=lambda: moment)):
        return again(refund)


def posts(chain: Chain) -> list[tuple[int | None, str | None, bool]]:
    """Every refund call that reached Vipps: amount, key, applied."""
    return [(entry.amount_minor, entry.idempotency_key, entry.applied) for entry in chain.simulator.log(operation="refund")]


def balances(refund: Refund) -> tuple[int, int, int, bool]:
    """Posted, external, reserved, on hold."""
    account = OrderAccount.objects.get(order_id=refund.order_id)
    return account.posted_minor, account.external_minor, account.reserved_minor, account.on_hold


def key_of(refund: Refund, generation: int = 0) -> str:
    unit = refund.order.sales_unit
    return identity.provider_key(
        environment=unit.environment,
        msn=unit.msn,
        reference=refund.order.reference,
        refund=refund.pk,
        generation=generation,
    )


def log_event(chain: Chain, refund: Refund, amount: int, key: str | None, *, success: bool = True) -> None:
    """Put an event into Vipps' own log, as nobody's call would."""
    payment = chain.simulator.payment(BERGEN, refund.order.reference)
    now = chain.simulator.now.timestamp()
    chain.simulator.ledger.record(payment, "REFUNDED", amount, at=now, key=key, success=success)


def lose(chain: Chain, kind: FaultKind = FaultKind.DROP_BEFORE, **more: Any) -> None:
    chain.simulator.arm(Fault(kind=kind, operation="refund", **more))
