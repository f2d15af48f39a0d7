"""What the tour proved: the simulator's books beside the hub's, and the trail recomputed."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Sum

from hq.demo.provider import Provider
from hq.demo.tour import LOSES_ITS_ANSWER, Stop
from refunds.models import ENDS, Refund, State
from stores import audit
from stores.models import Order

_QUIET_WITHIN_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Report:
    """The sums are of every refund ever, in minor units whatever the currency: two books compared, not an amount."""

    stops: Mapping[str, Stop]
    provider_refunded_minor: int
    hub_refunded_minor: int
    orders_wanted: int
    orders_indexed: int
    audit_entries: int
    audit_ok: bool

    @property
    def held(self) -> bool:
        """Whether everything that the tour promises is true."""
        return (
            all(stop.held for stop in self.stops.values())
            and self.provider_refunded_minor == self.hub_refunded_minor
            and self.orders_indexed >= self.orders_wanted
            and self.audit_ok
        )

    def as_json(self) -> str:
        """One line."""
        lost = self.stops[LOSES_ITS_ANSWER]
        told = {
            "setups": {
                setup: {
                    "origin_store": stop.origin_store,
                    "refunding_store": stop.refunding_store,
                    "msn_sent": stop.msns_sent[0] if len(stop.msns_sent) == 1 else list(stop.msns_sent),
                    "amount_minor": stop.amount_minor,
                    "state": stop.state,
                    "seconds": stop.seconds,
                }
                for setup, stop in self.stops.items()
            },
            "lost_answer": {
                "states": list(lost.states),
                "provider_refund_events": lost.provider_refund_events,
            },
            "provider_refunded_minor": self.provider_refunded_minor,
            "hub_refunded_minor": self.hub_refunded_minor,
            "orders_indexed": self.orders_indexed,
            "audit_entries": self.audit_entries,
            "audit_ok": self.audit_ok,
        }
        return json.dumps(told, ensure_ascii=False)


def report_on(stops: Mapping[str, Stop], *, orders_wanted: int, provider: Provider) -> Report:
    """Wait until no refund is on its way (one of an earlier, killed run perhaps), then compare the books."""
    deadline = time.monotonic() + _QUIET_WITHIN_SECONDS
    at_rest = (*ENDS, State.REVIEW, State.AWAITING_APPROVAL)
    while Refund.objects.exclude(state__in=at_rest).exists() and time.monotonic() < deadline:
        time.sleep(0.2)
    refunded = Refund.objects.filter(state=State.REFUNDED).aggregate(minor=Sum("amount_minor"))["minor"]
    trail = audit.verify()
    return Report(
        stops=stops,
        provider_refunded_minor=sum(sent.amount_minor for sent in provider.refunds()),
        hub_refunded_minor=refunded or 0,
        orders_wanted=orders_wanted,
        orders_indexed=Order.objects.count(),
        audit_entries=trail.entries,
        audit_ok=trail.bad is None,
    )
