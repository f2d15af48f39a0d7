"""What a run came to, as one line of JSON, and whether it held."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from refunds.models import Answer as VippsAnswer
from refunds.models import Attempt, Outbox, Refund
from stores.models import Entry
from tests.faults.kills.history import Event
from tests.faults.kills.judging import Verdict
from tests.faults.kills.nemesis import Nemesis
from tests.faults.kills.options import Options
from tests.faults.kills.rescues import Waits, median, percentile
from tests.faults.kills.tills import Till
from tests.faults.proxy import Link

RESCUE_MEDIAN, RESCUE_MAX = 20.0, 60.0
_ENOUGH_FOR_A_MEDIAN = 30
_NAMES = ("lost", "doubled", "unsettled", "untrue end", "ledger", "trail", "history", "undecided")


@dataclass(frozen=True, kw_only=True)
class Report:
    """`facts` is what is printed; `broken` what did not hold, in words."""

    facts: dict[str, Any]
    broken: list[str]

    @property
    def held(self) -> bool:
        return not self.broken

    def as_json(self, indent: int | None = None) -> str:
        return json.dumps({**self.facts, "broken": self.broken, "held": self.held}, indent=indent, default=str)

    @classmethod
    def of(
        cls,
        *,
        options: Options,
        nemesis: Nemesis,
        tills: Sequence[Till],
        verdict: Verdict,
        waits: Waits,
        events: Sequence[Event],
        links: Mapping[str, Link],
        quiet_after: float,
        seconds: float,
    ) -> Self:
        broken = [*verdict.told, *_vacuous(options, nemesis, waits)]
        if verdict.counts and not verdict.told:
            broken.append(str(dict(verdict.counts)))
        is_late = len(waits.lost) >= _ENOUGH_FOR_A_MEDIAN and median(waits.lost) >= RESCUE_MEDIAN
        if is_late or max(waits.lost, default=0) >= RESCUE_MAX:
            broken.append(f"lost messages were rescued late: {waits.as_json()['lost']}")
        asked = [event for event in events if event.what == "ask" and event.kind != "invoke"]
        facts = {
            "options": {**asdict(options), "report": str(options.report), "folder": str(options.folder)},
            "seconds": round(seconds, 1),
            "quiet_after": round(quiet_after, 1),
            **{name.replace(" ", "_"): verdict.counts[name] for name in _NAMES},
            "violations": dict(verdict.counts),
            "states": dict(Counter(Refund.objects.values_list("state", flat=True))),
            "generations": dict(Counter(Refund.objects.values_list("generation", flat=True))),
            "attempts": Attempt.objects.count(),
            "unanswered_attempts": Attempt.objects.exclude(pk__in=VippsAnswer.objects.values("attempt")).count(),
            "moves": _moves(),
            "trail_entries": Entry.objects.count(),
            "nudges": Outbox.objects.count(),
            "faults": dict(sorted(nemesis.done.items())),
            "faults_missed": dict(nemesis.failed),
            "messages_destroyed": len(nemesis.destroyed),
            "connections_reset": {name: link.resets for name, link in links.items()},
            "waits_until_claimed": waits.as_json(),
            "histories": dict(Counter(f"{event.what} {event.kind}" for event in events if event.what != "fault")),
            "accept_seconds": _seconds([event.took for event in asked if event.kind == "ok"]),
        }
        return cls(facts=facts, broken=broken)


def _vacuous(options: Options, nemesis: Nemesis, waits: Waits) -> list[str]:
    """Faults that did not really happen: such a run shows nothing."""
    wanted = dict.fromkeys(nemesis.kinds, options.each)
    if options.has_redis:
        wanted["worker killed"] = options.worker_kills
    missing = {kind: f"{nemesis.done[kind]} of {count}" for kind, count in wanted.items() if nemesis.done[kind] < count * 0.9}
    told = [f"faults that did not happen: {missing}"] if missing else []
    if options.has_redis and len(waits.lost) < options.each:
        told.append(f"only {len(waits.lost)} lost messages were seen")
    return told


def _moves() -> dict[str, int]:
    entries = Entry.objects.filter(event="refund.moved").values_list("canonical", flat=True)
    return dict(sorted(Counter(json.loads(text)["facts"]["move"] for text in entries.iterator()).items()))


def _seconds(took: list[float]) -> dict[str, float]:
    return {name: round(percentile(took, share), 3) for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))}
