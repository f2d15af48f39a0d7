"""Notices in any order, any number of times, or not at all: what the hub comes to know is the same."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from refunds import doorbell, execution
from refunds.models import OrderAccount, Refund
from refunds.sweep import sweep_once
from stores import audit
from stores.actors import hub
from stores.models import Notice
from stores.vipps.simulator import Fault, FaultKind
from tests.conftest import Chain
from tests.refunds.asking import ask
from tests.refunds.examples import Example, begin, effort
from tests.refunds.truths import check_order, paid
from tests.vipps_notices import Sender, body_of, registered

LOST = ("BGO-20261101-9301", FaultKind.DROP_AFTER, "refunded")
FAILED = ("BGO-20261101-9302", FaultKind.FAILED_EVENT, "declined")
NEVER_CAME = ("BGO-20261101-9303", FaultKind.DROP_BEFORE, "refunded")
ELSEWHERE = ("BGO-20261101-9304", FaultKind.DROP_BEFORE, "unknown")  # too little is left to send it again, so people will look
ORDERS = (LOST, FAILED, NEVER_CAME, ELSEWHERE)


@dataclass(frozen=True, kw_only=True)
class Told:
    """One notice: of which order, which event, and whether Vipps signed it."""

    order: int
    name: str
    event: int
    is_genuine: bool


NOTICES = st.lists(
    st.builds(
        Told,
        order=st.integers(min_value=0, max_value=len(ORDERS)),
        name=st.sampled_from(["CREATED", "AUTHORIZED", "CAPTURED", "REFUNDED", "CANCELLED", "Odd.Name"]),
        event=st.integers(min_value=0, max_value=2),
        is_genuine=st.booleans(),
    ),
    max_size=12,
)
BETWEEN = st.lists(st.sampled_from(["read", "work", "sweep", "wait"]), max_size=12)


def ends(chain: Chain, notices: Sequence[Told], between: Sequence[str]) -> list[tuple[object, ...]]:
    """What has become of four refunds that nobody knew the outcome of, after these notices and a quiet hour."""
    example = begin(chain)
    try:
        return _ends(example, notices, between)
    finally:
        example.end()


def _ends(example: Example, notices: Sequence[Told], between: Sequence[str]) -> list[tuple[object, ...]]:
    chain = example.chain
    registration = registered(chain.units["BGO"])
    refunds = []
    for reference, fault, _end in ORDERS:
        order = chain.sold(chain.bergen, reference, 50_000)
        chain.simulator.arm(Fault(kind=fault, operation="refund"))
        refunds.append(ask(order, 50_000, who=chain.kari, store=chain.oslo).refund)
        execution.run(refunds[-1].pk, by=hub("worker"))
    chain.simulator.portal_refund("100002", ELSEWHERE[0], 1)
    assert {refund.state for refund in Refund.objects.all()} == {"unknown"}
    references = [reference for reference, *_more in ORDERS] + ["BGO-of-nobody"]
    for number, told in enumerate(notices):
        body = body_of("100002", references[told.order], name=told.name, psp_reference=f"psp-{told.event}")
        late = timedelta(seconds=-example.time.elapsed)
        sender = Sender(late=late) if told.is_genuine else Sender(late=late, secret="bm90IHRoZSBzZWNyZXQ=")
        sender.send(registration.url, body)
        if number < len(between):
            _go_on(example, between[number], refunds)
    for _ in range(3):
        example.travel(seconds=901)
        example.broker.is_up = False
        sweep_once(by=hub("sweep"))
    for refund in refunds:
        refund.refresh_from_db()
        check_order(chain.simulator, refund.order)
    assert audit.verify().bad is None
    assert not Notice.objects.filter(verdict="unread").exists()
    return [
        (refund.state, refund.outcome, paid(chain.simulator, refund.order).total(), *_balances(refund)) for refund in refunds
    ]


def _go_on(example: Example, what: str, refunds: Sequence[Refund]) -> None:
    if what == "read":
        doorbell.answer(Notice.objects.latest("pk").pk)
    if what == "work":
        for refund in refunds:
            execution.run(refund.pk, by=hub("worker"))
    if what == "sweep":
        sweep_once(by=hub("sweep"))
    if what == "wait":
        example.travel(seconds=13)


def _balances(refund: Refund) -> tuple[int, int, int]:
    account = OrderAccount.objects.get(order_id=refund.order_id)
    return account.posted_minor, account.external_minor, account.reserved_minor


def test_any_order_repetition_and_choice_of_notices_gives_the_same_end(chain: Chain) -> None:
    without = ends(chain, [], [])
    assert [state for state, *_more in without] == [end for _reference, _fault, end in ORDERS]
    verdicts: Counter[bool] = Counter()

    @given(notices=NOTICES, between=BETWEEN, data=st.data())
    @effort(10)
    def holds(notices: list[Told], between: list[str], data: st.DataObject) -> None:
        verdicts.update(told.is_genuine for told in notices)
        assert ends(chain, notices, between) == without
        assert ends(chain, data.draw(st.permutations(notices)), between) == without

    holds()
    assert min(verdicts[True], verdicts[False]) > 10
