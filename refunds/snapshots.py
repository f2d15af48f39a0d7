"""The stored readings of Vipps that a review is decided from, and the evidence in them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from refunds import evidence, identity, ledger, release_evidence, states
from refunds.deciding import Reading
from refunds.errors import Contradicted, LookFirst
from refunds.evidence import Contradiction, Evidence
from refunds.models import Attempt, Ending, Kind, Observation, Refund, RestoreEpoch, Source
from stores import clock
from stores.vipps.types import Aggregate, Amount, Event, Payment

EVIDENCE_LASTS = timedelta(hours=24)
"""How old a reading may be when somebody decides from it."""

_SENTENCES: Mapping[Contradiction, Promise] = {
    Contradiction.SHOWS_OURS: _("Vipps' event log shows this refund under our own key: it cannot end as not refunded."),
    Contradiction.SHOWS_NONE: _(
        "Vipps' event log shows neither our key nor an unexplained refund of exactly this amount: it cannot end as refunded."
    ),
    Contradiction.IS_BEHIND: _("Vipps' sum shows more money refunded than its event log does: ask Vipps again later."),
    Contradiction.SHOWS_RELEASE: _("Vipps shows all that was reserved as released: it cannot end as not released."),
    Contradiction.SHOWS_NO_RELEASE: _("Vipps does not show all that was reserved as released: it cannot end as released."),
    Contradiction.TOO_EARLY: _("The last call may still arrive at Vipps: ask Vipps again 12 hours after it."),
}


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The newest two readings of a refund's order, stored, and what they say."""

    payment: Observation
    log: Observation
    evidence: Evidence
    reading: Reading

    @property
    def digests(self) -> tuple[str, str]:
        return self.payment.digest, self.log.digest


def latest(refund: Refund) -> Snapshot:
    """What Vipps showed last, read after the refund came into review, not long ago, and since any restore.

    Raises LookFirst.
    """
    payment, log = _newest(refund, Source.PAYMENT), _newest(refund, Source.EVENTS)
    restores = RestoreEpoch.objects.filter(company=refund.refunding_store.company_id)
    restored_at = restores.order_by("-declared_at").values_list("declared_at", flat=True).first()
    oldest = max(refund.moved_at, clock.db_now() - EVIDENCE_LASTS, restored_at or refund.moved_at)
    if payment is None or log is None or min(payment.seen_at, log.seen_at) <= oldest:
        raise LookFirst
    events = tuple(_event(facts) for facts in log.facts["events"])
    reading = Reading(payment=_payment(payment.facts), events=events)
    return Snapshot(payment=payment, log=log, reading=reading, evidence=_evidence(refund, reading, log.seen_at))


def _evidence(refund: Refund, reading: Reading, seen_at: datetime) -> Evidence:
    """What was read, beside what the hub knows of the refund now."""
    events = reading.events or ()
    first = Attempt.objects.filter(refund=refund).order_by("number").first()
    return Evidence(
        amount_minor=refund.amount_minor,
        currency=refund.currency,
        refunded_minor=reading.payment.aggregate.refunded,
        events=events,
        our_keys=keys_of(refund),
        counted=frozenset(
            event.psp_reference for event in events if ledger.is_booked(refund.order, event.psp_reference)
        ),
        first_sent_at=first.intended_at if first else None,
        unresolved_since=refund.indeterminate_since,
        seen_at=seen_at,
    )


def keys_of(refund: Refund) -> frozenset[str]:
    """Every key that the refund may ever have sent, whether or not its attempts are still known."""
    order = refund.order
    unit = order.sales_unit
    keys = identity.provider_keys(environment=unit.environment, msn=unit.msn, reference=order.reference, refund=refund.pk)
    return frozenset(keys)


def refuse_contradiction(refund: Refund, ends_as: Ending, snapshot: Snapshot) -> None:
    """Raises Contradicted where what Vipps shows does not allow that end."""
    if refund.kind == Kind.RELEASE:
        found = release_evidence.contradiction(
            ends_as,
            snapshot.reading,
            unresolved_since=refund.indeterminate_since,
            seen_at=snapshot.log.seen_at,
            quiet_time=states.QUIET_TIME,
        )
    else:
        found = evidence.contradiction(ends_as, snapshot.evidence, quiet_time=states.QUIET_TIME)
    if found is not None:
        raise Contradicted(_SENTENCES[found], code=found.value)


def _newest(refund: Refund, source: Source) -> Observation | None:
    seen = Observation.objects.filter(order=refund.order_id, source=source)
    return seen.order_by("-seen_at", "-pk").first()


def _payment(facts: Mapping[str, Any]) -> Payment:
    return Payment(**{**facts, "amount": Amount(**facts["amount"]), "aggregate": Aggregate(**facts["aggregate"])})


def _event(facts: Mapping[str, Any]) -> Event:
    return Event(
        **{
            **facts,
            "amount": Amount(**facts["amount"]),
            "timestamp": datetime.fromisoformat(facts["timestamp"]),
        }
    )
