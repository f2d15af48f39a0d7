"""A release in review ends by two people as a refund does; what they may say is what Vipps shows as cancelled."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from refunds import release_evidence, states
from refunds.deciding import Reading
from refunds.evidence import Contradiction
from refunds.models import Ending, Refund, State
from refunds.release_moves import R14_TOO_OLD, settle_as_released
from stores import audit
from stores.actors import hub
from stores.errors import HubError
from stores.models import User
from stores.vipps.simulator import Fault, FaultKind
from stores.vipps.types import Aggregate, Amount, Payment
from tests.conftest import Chain
from tests.refunds.asking import run
from tests.refunds.proving import balances
from tests.refunds.releases import BERGEN, ask_release, no_money_moved, reserved
from tests.refunds.reviewing import at_hq, confirm, look, propose, settle, snapshot

READ = datetime(2026, 11, 2, 12, tzinfo=UTC)
NOTHING = Aggregate(authorized=50_000, cancelled=0, captured=0, refunded=0, currency="NOK")
GONE = replace(NOTHING, cancelled=50_000)
IN_PART = replace(NOTHING, cancelled=20_000, captured=30_000)
TAKEN = replace(NOTHING, captured=50_000)

NO_RELEASE, RELEASE, EARLY = (
    Contradiction.SHOWS_NO_RELEASE,
    Contradiction.SHOWS_RELEASE,
    Contradiction.TOO_EARLY,
)


@pytest.mark.parametrize(
    ("sums", "hours", "releases", "declines"),
    [
        (NOTHING, None, NO_RELEASE, None),
        (NOTHING, 11, NO_RELEASE, EARLY),
        (NOTHING, 12, NO_RELEASE, None),
        (GONE, None, None, RELEASE),
        (GONE, 1, None, RELEASE),
        (IN_PART, None, NO_RELEASE, None),
        (TAKEN, None, NO_RELEASE, None),
    ],
)
def test_what_vipps_allows(
    sums: Aggregate, hours: int | None, releases: Contradiction | None, declines: Contradiction | None
) -> None:
    payment = Payment(
        reference="r",
        psp_reference="p",
        state="AUTHORIZED",
        amount=Amount(currency="NOK", value=50_000),
        aggregate=sums,
        metadata={},
    )
    asked: dict[str, Any] = {
        "unresolved_since": READ - timedelta(hours=hours) if hours is not None else None,
        "seen_at": READ,
        "quiet_time": states.QUIET_TIME,
    }
    reading = Reading(payment=payment, events=())
    assert release_evidence.contradiction(Ending.RELEASED, reading, **asked) == releases
    assert release_evidence.contradiction(Ending.DECLINED, reading, **asked) == declines


@pytest.fixture
def finn(chain: Chain) -> User:
    return at_hq(chain, "finn")


@pytest.fixture
def lost(chain: Chain, travel: Any) -> Refund:
    """A cancel that never arrived, and was not answered for a day."""
    release = ask_release(reserved(chain), who=chain.kari, store=chain.oslo).refund
    chain.simulator.arm(Fault(kind=FaultKind.DROP_BEFORE, operation="cancel"))
    assert run(release).state == State.UNKNOWN
    travel(timedelta(hours=25))
    assert states.move(release, R14_TOO_OLD, by=hub("sweep"), because="still unknown after 24 hours")
    release.refresh_from_db()
    return release


def refused(code: str, release: Refund, ends_as: str, who: User) -> None:
    before = snapshot(release)
    with pytest.raises(HubError) as refusal:
        propose(release, ends_as, who=who)
    assert refusal.value.code == code
    assert snapshot(release) == before


def test_two_people_decline_it_and_no_money_moves(chain: Chain, lost: Refund, finn: User) -> None:
    look(lost, who=chain.hanne)
    refused("vipps_shows_no_release", lost, "released", chain.hanne)
    refused("reason_needed", lost, "refunded", chain.hanne)
    proposal = propose(lost, "declined", who=chain.hanne)
    with pytest.raises(HubError, match="another person"):
        confirm(proposal, who=chain.hanne)
    assert confirm(proposal, who=finn).state == State.DECLINED
    lost.refresh_from_db()
    assert (lost.outcome, balances(lost)) == ("settled_by_people", (0, 0, 0, False))
    assert no_money_moved(lost.order)
    assert audit.verify().bad is None


def test_a_look_that_shows_it_gone_ends_it(chain: Chain, lost: Refund) -> None:
    chain.simulator.portal_cancel(BERGEN, lost.order.reference)
    assert look(lost, who=chain.hanne).state == State.RELEASED


def test_a_release_that_came_back_from_an_end_is_ended_by_two_people(chain: Chain, lost: Refund, finn: User) -> None:
    settle(lost, "declined", first=chain.hanne, second=finn)
    chain.simulator.portal_cancel(BERGEN, lost.order.reference)
    assert settle_as_released(lost, by=hub("worker"), because="Vipps shows all that was reserved as released")
    lost.refresh_from_db()
    assert (lost.state, lost.outcome) == (State.REVIEW, "released_after_all")
    assert look(lost, who=chain.hanne).state == State.REVIEW
    refused("vipps_shows_release", lost, "declined", chain.hanne)
    assert confirm(propose(lost, "released", who=chain.hanne), who=finn).state == State.RELEASED
    assert balances(lost) == (0, 0, 0, False)


def test_a_refund_never_ends_as_released(chain: Chain, lost: Refund) -> None:
    refund = Refund.objects.exclude(pk=lost.pk).get(order=lost.order)
    assert refund.kind == "refund"
    Refund.objects.filter(pk=refund.pk).update(state=State.REVIEW)
    refused("reason_needed", refund, "released", chain.hanne)
