"""Releases on real PostgreSQL with a connection each: one release of an order, and never beside a refund of it."""

from functools import partial

import pytest

from refunds import execution, intake
from refunds.models import Kind, Refund, State
from stores import audit, nudge, people
from stores.actors import hub
from stores.errors import HubError
from stores.models import Role, User
from tests.conftest import Chain
from tests.refunds.asking import ask, run
from tests.refunds.releases import ask_release, cancels, releases_of, reserved, sums
from tests.refunds.test_concurrency import together

at_once = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _nobody_takes_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nudge, "publish", lambda task, row_id: True)


@pytest.fixture
def nora(chain: Chain) -> User:
    """Cashier in Trondheim."""
    nora = User.objects.create(username="nora")
    people.join_store(nora, chain.trondheim, role=Role.CASHIER, by=chain.by)
    return nora


@at_once
def test_of_a_release_and_a_refund_at_once_one_is_accepted(chain: Chain, nora: User) -> None:
    order = reserved(chain)
    answers = together(
        *[partial(ask_release, order, who=chain.kari, store=chain.oslo) for _ in range(2)],
        *[partial(ask, order, amount, who=nora, store=chain.trondheim) for amount in (50_000, 50_000)],
    )
    accepted = [answer.refund for answer in answers if isinstance(answer, intake.Accepted)]
    refusals = {answer.code for answer in answers if isinstance(answer, HubError)}
    assert len(accepted) + len([answer for answer in answers if isinstance(answer, HubError)]) == 4, answers
    assert len(accepted) == 1
    assert refusals <= {"released", "refund_in_flight", "exceeds_left", "possible_duplicate"}
    run(accepted[0])
    expected = (50_000, 0, 50_000) if accepted[0].kind == Kind.RELEASE else (50_000, 0, 0)
    assert sums(chain, order) == expected
    assert audit.verify().bad is None


@at_once
def test_the_same_request_from_eight_threads_is_one_release(chain: Chain) -> None:
    order = reserved(chain)
    answers = together(*[partial(ask_release, order, who=chain.kari, store=chain.oslo, key="page-1")] * 8)
    accepted = [answer for answer in answers if isinstance(answer, intake.Accepted)]
    assert len(accepted) == 8, answers
    assert [answer.is_new for answer in accepted].count(True) == 1
    assert len(releases_of(order)) == 1


@at_once
def test_eight_workers_send_one_cancel(chain: Chain) -> None:
    order = reserved(chain)
    release = ask_release(order, who=chain.kari, store=chain.oslo).refund
    answers = together(*[partial(execution.run, release.pk, by=hub("worker"))] * 8)
    assert answers == [None] * 8
    assert Refund.objects.get(pk=release.pk).state == State.RELEASED
    assert [applied for _, applied in cancels(chain)] == [True]
