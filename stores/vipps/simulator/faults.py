"""Faults on demand: rules that hit chosen calls a number of times, or with a seeded probability."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum


class FaultKind(StrEnum):
    """What goes wrong. Those of the first group keep the operation from being applied."""

    DROP_BEFORE = "drop_before"  # the request is lost on its way
    DELAY_BEFORE = "delay_before"  # it is applied only after `seconds`
    ERROR_BEFORE = "error_before"  # `status`, 503 unless told
    THROTTLE = "throttle"  # 429, with Retry-After if `retry_after` is given
    LOCK = "lock"  # 423 and code 6160
    UNAUTHORIZED = "unauthorized"  # 401 from the gateway
    FORBIDDEN = "forbidden"  # 403 from the gateway
    REFUSE = "refuse"  # `code`, with `status` if given; sticks to the key
    REDIRECT = "redirect"  # 308 to another host

    DROP_AFTER = "drop_after"  # applied, the answer is lost
    DELAY = "delay"  # applied, the answer comes after `seconds`
    ERROR_AFTER = "error_after"  # applied, but the answer is `status`, 500 unless told
    MALFORMED = "malformed"  # applied, half an answer
    HUGE = "huge"  # applied, two megabytes of answer
    SLOW = "slow"  # applied, the answer drips
    WRONG_AMOUNT = "wrong_amount"  # sums in the answer are one krone (100) too high
    WRONG_CURRENCY = "wrong_currency"
    LAGGING_AGGREGATE = "lagging_aggregate"  # sums ignore what happened in the last `seconds` (an hour unless told)
    STALE_EVENTS = "stale_events"  # the event log lacks what happened in the last `seconds` (an hour unless told)
    NULL_KEYS = "null_keys"  # the event log has lost its idempotency keys
    FAILED_EVENT = "failed_event"  # accepted with 200, but the event says success: false and no money moves

    # These hit webhooks on their way out: api "webhooks", operation "deliver".
    DOUBLED = "doubled"  # sent twice
    LATE = "late"  # sent only after `seconds` (600 unless told)
    OUT_OF_ORDER = "out_of_order"  # sent after the payment's next event (or, if none comes, after `seconds`)
    LOST = "lost"  # never sent
    BADLY_SIGNED = "badly_signed"  # its first attempt is signed with another secret


KEEPS_FROM_APPLYING = frozenset(
    {
        FaultKind.DROP_BEFORE,
        FaultKind.DELAY_BEFORE,
        FaultKind.ERROR_BEFORE,
        FaultKind.THROTTLE,
        FaultKind.LOCK,
        FaultKind.UNAUTHORIZED,
        FaultKind.FORBIDDEN,
        FaultKind.REDIRECT,
    }
)


ON_DELIVERY = frozenset({FaultKind.DOUBLED, FaultKind.LATE, FaultKind.OUT_OF_ORDER, FaultKind.LOST, FaultKind.BADLY_SIGNED})
PAYMENT_APIS = frozenset({"epayment", "ecom"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """Hits calls of `operation`, MSN and reference; of `api` (epayment, ecom, token, webhooks, orders, report, qr, management).

    Operations are create, approve, get, events, capture, cancel, refund; of eCom also initiate, details and status; token
    and special_token; each API's own (see its module); deliver. None is any operation or payment API; the other APIs are
    only hit when they or their operation are named.
    `skip` matching calls pass first, then `times` are hit (None: without end), each with `probability`.
    """

    kind: FaultKind
    operation: str | None = None
    api: str | None = None
    msn: str | None = None
    reference: str | None = None
    times: int | None = 1
    skip: int = 0
    probability: float = 1.0
    status: int | None = None
    code: str | None = None
    seconds: float | None = None
    retry_after: str | None = None


@dataclass(kw_only=True, slots=True)
class ArmedFault:
    id: str
    fault: Fault
    seen: int = 0
    fired: int = 0

    @property
    def is_spent(self) -> bool:
        return self.fault.times is not None and self.fired >= self.fault.times


class FaultBook:
    """The armed rules in the order of arming; of several that match, the first one that fires is taken."""

    def __init__(self, *, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311  # seeded chance, nothing secret
        self.armed: dict[str, ArmedFault] = {}
        self.fired: dict[str, int] = {}
        self._made = 0

    def arm(self, fault: Fault) -> str:
        self._made += 1
        name = f"fault-{self._made}"
        self.armed[name] = ArmedFault(id=name, fault=fault)
        return name

    def disarm(self, name: str | None = None) -> None:
        """One rule, or all. Raises KeyError for a name that is not armed."""
        if name is None:
            self.armed.clear()
        else:
            del self.armed[name]

    def take(self, operation: str, *, api: str = "epayment", msn: str | None, reference: str | None) -> Fault | None:
        if not self.armed:
            return None
        for entry in list(self.armed.values()):
            fault = entry.fault
            if not _matches(fault, operation, api, msn, reference):
                continue
            entry.seen += 1
            if entry.seen <= fault.skip:
                continue
            if fault.probability < 1.0 and self._random.random() >= fault.probability:
                continue
            entry.fired += 1
            self.fired[fault.kind] = self.fired.get(fault.kind, 0) + 1
            if entry.is_spent:
                del self.armed[entry.id]
            return fault
        return None


def _matches(fault: Fault, operation: str, api: str, msn: str | None, reference: str | None) -> bool:
    is_delivery = operation == "deliver"
    if (fault.kind in ON_DELIVERY) is not is_delivery:
        return False
    if not is_delivery and fault.operation is None and fault.api is None and api not in PAYMENT_APIS:
        return False
    return (
        fault.operation in (None, operation)
        and fault.api in (None, api)
        and fault.msn in (None, msn)
        and fault.reference in (None, reference)
    )
