"""What Vipps does not document may be either way: whichever it is, never paid twice, and never declined what was paid."""

from datetime import timedelta
from typing import Any

import pytest

from refunds import sweep
from refunds.models import Refund, State
from stores.actors import hub
from stores.vipps.simulator import Fault, FaultKind
from tests.conftest import Chain
from tests.refunds.asking import ask, run

SWITCHES: dict[str, dict[str, Any]] = {
    "a replay shows things as they are now": {"replay": "fresh"},
    "a key reaches over one payment": {"key_scope": "payment"},
    "a key reaches over the whole sales unit": {"key_scope": "sales_unit"},
    "refusals do not stick": {"sticky_refusals": False},
    "keys are forgotten after an hour": {"key_retention_hours": 1.0},
    "keys are forgotten after a day": {"key_retention_hours": 24.0},
    "the answer's amount is the modification's": {"answer_amount": "modification"},
    "sums lag two minutes": {"aggregate_lag": 120.0},
    "sums lag two hours": {"aggregate_lag": 7200.0},
    "refusals come as 403": {"statuses": {"6xxx": 403}},
    "refusals come as 409": {"statuses": {"6xxx": 409}},
    "refusals come as 422": {"statuses": {"6xxx": 422}},
    "key conflicts come as 400": {"statuses": {"4150": 400, "4020": 400}},
    "modifications say problem+json": {"modification_content_type": "application/problem+json"},
    "the gateway answers in HTML": {"gateway_shape": "html"},
    "the gateway answers in texts": {"gateway_shape": "texts"},
    "limits come with Retry-After": {"retry_after": True},
    "limits have fixed windows": {"limit_window": "fixed"},
    "refused calls count against limits": {"limit_counts_refused": True},
    "365 days count from the capture": {"refund_days_from": "capture"},
    "the balance must cover it": {"merchant_balance": "must_cover"},
    "small refunds are refused": {"minimum_refund": 50_000},
    "a fresh capture is busy": {"refund_wait": 86_400.0},
}

TROUBLES: dict[str, tuple[Fault, ...]] = {
    "nothing": (),
    "the answer lost": (Fault(kind=FaultKind.DROP_AFTER, operation="refund"),),
    "the request lost": (Fault(kind=FaultKind.DROP_BEFORE, operation="refund"),),
    "an error after applying": (Fault(kind=FaultKind.ERROR_AFTER, operation="refund"),),
    "half an answer": (Fault(kind=FaultKind.MALFORMED, operation="refund"),),
    "a throttled call": (Fault(kind=FaultKind.THROTTLE, operation="refund", times=2),),
    "a locked payment": (Fault(kind=FaultKind.LOCK, operation="refund", times=4),),
    "the answer lost and a stale log": (
        Fault(kind=FaultKind.DROP_AFTER, operation="refund"),
        Fault(kind=FaultKind.STALE_EVENTS, operation="events", times=3),
    ),
    "the answer lost and a log without keys": (
        Fault(kind=FaultKind.DROP_AFTER, operation="refund"),
        Fault(kind=FaultKind.NULL_KEYS, operation="events", times=3),
    ),
}

STEPS = [timedelta(seconds=2)] * 2 + [timedelta(minutes=1)] * 4 + [timedelta(minutes=16)] * 6 + [timedelta(hours=3)] * 10


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("switch", SWITCHES)
def test_never_paid_twice_and_never_declined_what_was_paid(chain: Chain, travel: Any, switch: str, trouble: str) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7741", 90_000)
    chain.simulator.change_switches(**SWITCHES[switch])
    refund = ask(order, 30_000, who=chain.kari, store=chain.oslo).refund
    for fault in TROUBLES[trouble]:
        chain.simulator.arm(fault)
    for step in STEPS:
        travel(step)
        if run(refund).has_ended:
            break
    sweep.sweep_once(by=hub("sweep"))
    refund = Refund.objects.get(pk=refund.pk)
    paid = chain.simulator.log(reference=order.reference, operation="refund", applied=True)
    assert len(paid) <= 1
    assert chain.simulator.payment("100002", order.reference).sums().refunded == 30_000 * len(paid)
    assert refund.state in (State.REFUNDED, State.DECLINED, State.REVIEW), refund.state
    if refund.state != State.REVIEW:
        assert (refund.state == State.REFUNDED) is (len(paid) == 1)


def test_a_refund_that_fails_after_its_success_is_never_declined_nor_paid_again(chain: Chain, travel: Any) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7742", 90_000)
    chain.simulator.change_switches(accepted_refunds="fail_later", failure_delay=30.0)
    chain.simulator.arm(Fault(kind=FaultKind.DROP_AFTER, operation="refund"))
    refund = run(ask(order, 30_000, who=chain.kari, store=chain.oslo).refund)
    assert refund.state == State.UNKNOWN
    travel(timedelta(minutes=2))
    refund = run(refund)
    assert (refund.state, refund.outcome) == (State.REVIEW, "undone")
    for step in STEPS:
        travel(step)
        run(refund)
    paid = chain.simulator.log(reference=order.reference, operation="refund", applied=True)
    assert len(paid) == 1
    assert Refund.objects.get(pk=refund.pk).state == State.REVIEW


@pytest.mark.parametrize("when", ["answer", "event"])
@pytest.mark.parametrize("amount_minor", [123, 124])
def test_the_test_amounts_end_in_a_refusal_and_move_nothing(
    chain: Chain, travel: Any, amount_minor: int, when: str
) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7743", 90_000)
    chain.simulator.change_switches(environment="test", refund_test_amounts=when)
    refund = ask(order, amount_minor, who=chain.kari, store=chain.oslo).refund
    for step in STEPS:
        travel(step)
        if run(refund).has_ended:
            break
    assert Refund.objects.get(pk=refund.pk).state == State.DECLINED
    assert chain.simulator.payment("100002", order.reference).sums().refunded == 0
