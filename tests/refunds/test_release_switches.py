"""What Vipps does not document of a cancel may be either way, in both APIs: released is what Vipps released, and no more."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from refunds import sweep
from refunds.models import State
from refunds.progress import progress_of
from stores import orders
from stores.actors import hub
from stores.models import Order
from stores.vipps.simulator import Fault, FaultKind
from tests.conftest import Chain
from tests.refunds.asking import ask, run
from tests.refunds.releases import BERGEN, ask_release, cancels, no_money_moved, reserved, sums

SWITCHES: dict[str, dict[str, Any]] = {
    "as documented": {},
    "a replay shows things as they are now": {"replay": "fresh"},
    "a key reaches over the whole sales unit": {"key_scope": "sales_unit"},
    "refusals do not stick": {"sticky_refusals": False},
    "keys are forgotten after an hour": {"key_retention_hours": 1.0},
    "sums lag two hours": {"aggregate_lag": 7200.0},
    "refusals come as 403": {"statuses": {"6xxx": 403}},
    "refusals come as 409": {"statuses": {"6xxx": 409}},
    "refusals come as 422": {"statuses": {"6xxx": 422}},
    "modifications say problem+json": {"modification_content_type": "application/problem+json"},
    "limits come with Retry-After": {"retry_after": True},
}
FAULTS: dict[str, tuple[FaultKind, ...]] = {
    "nothing": (),
    "the answer lost": (FaultKind.DROP_AFTER,),
    "the request lost": (FaultKind.DROP_BEFORE,),
    "an error after applying": (FaultKind.ERROR_AFTER,),
    "half an answer": (FaultKind.MALFORMED,),
    "a locked payment, thrice": (FaultKind.LOCK,) * 3,
    "a cancel that fails behind a 200": (FaultKind.FAILED_EVENT,),
}
STEPS = [timedelta(seconds=2)] * 2 + [timedelta(minutes=1)] * 4 + [timedelta(minutes=16)] * 6 + [timedelta(hours=3)] * 10
SHORT = "B-88"


def reserved_in_ecom(chain: Chain) -> Order:
    """Bergen sold it through eCom under an id that only eCom can reach, and has taken nothing yet."""
    paid_at = datetime.now(UTC) - timedelta(days=1)
    chain.simulator.add_payment(BERGEN, SHORT, amount_minor=50_000, captured_minor=0, paid_at=paid_at, api="ecom")
    amount = orders.AmountRow(amount_minor=50_000, currency="NOK")
    row = orders.OrderRow(reference=SHORT, amount=amount, paid_at=paid_at)
    orders.index_orders([row], system=chain.systems[chain.bergen.code], by=chain.by)
    order = Order.objects.get(sales_unit=chain.units[chain.bergen.code], reference=SHORT)
    run(ask(order, 1_000, who=chain.kari, store=chain.oslo).refund)
    order.refresh_from_db()
    return order


def _to_its_end(chain: Chain, travel: Any, order: Order) -> None:
    release = ask_release(order, who=chain.kari, store=chain.oslo).refund
    for step in STEPS:
        travel(step)
        if run(release).has_ended:
            break
    sweep.sweep_once(by=hub("sweep"))
    release.refresh_from_db()
    authorized, captured, cancelled = sums(chain, order)
    assert (authorized, captured) == (50_000, 0)
    assert len([applied for _, applied in cancels(chain) if applied]) <= 1
    assert release.state in (State.RELEASED, State.DECLINED, State.REVIEW), release.state
    if release.state != State.REVIEW:
        assert (release.state == State.RELEASED) is (cancelled == 50_000), progress_of(release)
    assert no_money_moved(order)


@pytest.mark.parametrize("trouble", FAULTS)
@pytest.mark.parametrize("switch", SWITCHES)
def test_released_is_what_vipps_has_released(chain: Chain, travel: Any, switch: str, trouble: str) -> None:
    order = reserved(chain)
    chain.simulator.change_switches(**SWITCHES[switch])
    for kind in FAULTS[trouble]:
        chain.simulator.arm(Fault(kind=kind, operation="cancel"))
    _to_its_end(chain, travel, order)


@pytest.mark.parametrize("trouble", FAULTS)
@pytest.mark.parametrize("switch", ["as documented", "a replay shows things as they are now", "sums lag two hours"])
def test_in_ecom_too_though_its_cancel_has_no_key(chain: Chain, travel: Any, switch: str, trouble: str) -> None:
    order = reserved_in_ecom(chain)
    chain.simulator.change_switches(**SWITCHES[switch])
    for kind in FAULTS[trouble]:
        chain.simulator.arm(Fault(kind=kind, operation="cancel", api="ecom"))
    _to_its_end(chain, travel, order)


def test_ecom_refuses_the_cancel_once_a_part_was_captured_and_nothing_is_let_go(chain: Chain, travel: Any) -> None:
    order = reserved_in_ecom(chain)
    release = ask_release(order, who=chain.kari, store=chain.oslo).refund
    chain.simulator.arm(Fault(kind=FaultKind.LAGGING_AGGREGATE, operation="details", api="ecom"))
    chain.simulator.arm(Fault(kind=FaultKind.STALE_EVENTS, operation="details", api="ecom"))
    chain.simulator.portal_capture(BERGEN, SHORT, 20_000)
    for step in STEPS:
        travel(step)
        if run(release).has_ended:
            break
    assert (release.state, release.outcome) == (State.DECLINED, "captured_meanwhile")
    assert sums(chain, order) == (50_000, 20_000, 0)
