"""Questions to Vipps in tests: put by the cast, answered as a worker would."""

from datetime import UTC, datetime, timedelta
from typing import Any

from refunds import discovering
from stores import access
from stores.actors import hub
from stores.discovery import questions
from stores.discovery.questions import Progress
from stores.models import Store, VippsQuestion
from tests.conftest import Chain

PAID_AT = (datetime.now(UTC) - timedelta(days=2)).replace(microsecond=0)


def paid(chain: Chain, code: str, reference: str, amount_minor: int = 25_000, **facts: Any) -> None:
    """At Vipps only: no till has told of it."""
    chain.simulator.add_payment(
        chain.units[code].msn, reference, amount_minor=amount_minor, **{"paid_at": PAID_AT, **facts}
    )


def put(chain: Chain, reference: str, *, store: Store | None = None) -> VippsQuestion:
    """Kari's question, at the desk in Oslo."""
    by = access.actor_for(chain.kari, store=chain.oslo)
    return questions.ask_vipps(reference, asker=chain.kari, from_store=chain.oslo, store=store, by=by)


def answered(question: VippsQuestion) -> Progress:
    discovering.answer(question.pk, by=hub("worker"))
    question.refresh_from_db()
    return questions.progress_of(question)


def asked(chain: Chain, reference: str, *, store: Store | None = None) -> Progress:
    return answered(put(chain, reference, store=store))
