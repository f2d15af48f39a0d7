"""What schedules did and what they showed: the faults that really happened, the places reached, the violations."""

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

FLOORS_PER_THOUSAND = {"crashes or stalls": 3_000, "unresolved sends": 600, "restores": 50}
"""Below these a run shows nothing (RELIABILITY 4.2)."""
COUNTS_FROM = 1_000


@dataclass(frozen=True, kw_only=True)
class Violation:
    """What must never be, and was."""

    invariant: str
    what: str


@dataclass(kw_only=True)
class Tally:
    """Adds up over schedules and over jobs."""

    schedules: int = 0
    refunds: int = 0
    releases: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    reached: Counter[str] = field(default_factory=Counter)
    violations: Counter[str] = field(default_factory=Counter)
    failed: dict[int, list[str]] = field(default_factory=dict)

    def add(self, other: "Tally") -> None:
        self.schedules += other.schedules
        self.refunds += other.refunds
        self.releases += other.releases
        self.faults += other.faults
        self.ends += other.ends
        self.reached += other.reached
        self.violations += other.violations
        self.failed |= other.failed

    def written(self) -> str:
        """The whole tally as one line, for the process that adds up."""
        return json.dumps(vars(self))

    @classmethod
    def read(cls, line: str) -> "Tally":
        told = json.loads(line)
        counters = {name: Counter(told[name]) for name in ("faults", "ends", "reached", "violations")}
        failed = {int(seed): what for seed, what in told["failed"].items()}
        return cls(
            schedules=told["schedules"], refunds=told["refunds"], releases=told["releases"], failed=failed, **counters
        )

    @property
    def floors(self) -> dict[str, int]:
        """How often what must not be missing was there."""
        shaken = sum(count for name, count in self.faults.items() if name.startswith(("crash", "stall")))
        return {
            "crashes or stalls": shaken,
            "unresolved sends": self.faults["unresolved send"],
            "restores": self.faults["restore"],
        }

    @property
    def vacuous(self) -> list[str]:
        """The floors that were not reached; none where there were too few schedules to say."""
        if self.schedules < COUNTS_FROM:
            return []
        wanted = {name: floor * self.schedules / 1_000 for name, floor in FLOORS_PER_THOUSAND.items()}
        return [name for name, count in self.floors.items() if count < wanted[name]]

    def as_json(self) -> dict[str, Any]:
        return {
            "schedules": self.schedules,
            "refunds": self.refunds,
            "releases": self.releases,
            "ends": dict(self.ends.most_common()),
            "faults": dict(sorted(self.faults.items())),
            "floors": self.floors,
            "vacuous": self.vacuous,
            "triples": len(self.reached),
            "violations": dict(self.violations),
            "failed_seeds": sorted(self.failed),
        }
