"""The way to Vipps as it can be: requests lost, late or doubled, answers lost, and every answer that Vipps has."""

from collections.abc import Callable
from dataclasses import dataclass

from stores.vipps.errors import NotSent, Unsure
from stores.vipps.exchange import Deadline, Request, Response
from stores.vipps.simulator import Fault, FaultKind, Simulator
from stores.vipps.wsgi_transport import WsgiTransport
from tests.faults.schedules.faults import Faults

_REFUSALS = ("6150", "6180", "6210", "6220", "5090", "5100", "4010", "9999", "6160")
_LATE = (2.0, 30.0, 100.0, 100.0, 600.0, 600.0, 600.0, 4_000.0, 20_000.0)
"""Seconds on the wire. Nobody can prove anything about a request that travels longer than the quiet time."""
_ON_REFUND = (
    *("lost", "lost", "answer lost", "answer lost", "late", "late", "doubled", "not sent", "slow"),
    *(FaultKind.ERROR_BEFORE, FaultKind.ERROR_AFTER, FaultKind.ERROR_AFTER, FaultKind.THROTTLE, FaultKind.LOCK),
    *(FaultKind.UNAUTHORIZED, FaultKind.FORBIDDEN, FaultKind.REFUSE, FaultKind.REFUSE, FaultKind.REDIRECT),
    *(FaultKind.MALFORMED, FaultKind.WRONG_AMOUNT, FaultKind.WRONG_CURRENCY, FaultKind.LAGGING_AGGREGATE),
    *(FaultKind.FAILED_EVENT, "answer lost", "lost"),
)
_SENDING = ("refund", "cancel")
_ON_GET = (
    *("lost", "not sent", "slow", FaultKind.ERROR_BEFORE, FaultKind.THROTTLE, FaultKind.UNAUTHORIZED, FaultKind.REFUSE),
    *(FaultKind.FORBIDDEN, FaultKind.WRONG_AMOUNT, FaultKind.WRONG_CURRENCY, FaultKind.LAGGING_AGGREGATE),
    *(FaultKind.LAGGING_AGGREGATE, FaultKind.MALFORMED),
)
_ON_EVENTS = (
    *("lost", "slow", FaultKind.ERROR_BEFORE, FaultKind.THROTTLE, FaultKind.MALFORMED),
    *(FaultKind.STALE_EVENTS, FaultKind.STALE_EVENTS, FaultKind.NULL_KEYS, FaultKind.REFUSE),
)
_ON_TOKEN = ("lost", "not sent", FaultKind.ERROR_BEFORE, FaultKind.UNAUTHORIZED)
_READS = 0.35
"""Reading fails less often than refunding: else few schedules would come to a refund at all."""


@dataclass(kw_only=True)
class Wire:
    """A transport to the simulator. `sent` is told key and path of each request that leaves to move something, before it does.

    eCom's cancel has no key.
    """

    simulator: Simulator
    faults: Faults
    sent: Callable[[str, str], None]

    def __post_init__(self) -> None:
        self._vipps = WsgiTransport(self.simulator.wsgi)

    def send(self, request: Request, *, deadline: Deadline) -> Response:
        """Raises NotSent or Unsure, as `Transport` says."""
        operation = _operation(request)
        if operation != "token":
            self.faults.yield_point("before call")
        fault = self._fault(operation)
        if fault == "not sent":
            raise NotSent(request.operation, detail="nothing was sent: nobody listens")
        deadline.check_may_write(request.operation)
        if operation in _SENDING:
            self.sent(_key(request), request.path)
            self.faults.yield_point("between deadline and write", may_stall=20_000.0)
        answer = self._carried(request, deadline, operation, fault)
        if operation != "token":
            self.faults.stage.pause(self.faults.dice.choice((0.05, 0.3, 0.3, 2.0)))
            self.faults.yield_point("after call")
        return answer

    def _carried(self, request: Request, deadline: Deadline, operation: str, fault: str) -> Response:
        if fault == "slow":
            self.faults.stage.pause(self.faults.dice.choice((4.0, 8.0, 19.0)))
        elif fault in ("lost", "late"):
            if fault == "late":
                self._arrives(request, after=self.faults.dice.choice(_LATE))
            self.faults.stage.pause(20.0 if operation != "token" else 0.0)
            raise Unsure(request.operation, detail="no answer after sending: TimeoutError")
        elif fault == "doubled":
            self._arrives(request, after=self.faults.dice.choice(_LATE))
        elif isinstance(fault, FaultKind):
            self._arm(fault, operation)
        try:
            answer = self._vipps.send(request, deadline=_without_limits(deadline))
        finally:
            self.simulator.disarm()
        if fault == "answer lost":
            self.faults.stage.pause(20.0)
            raise Unsure(request.operation, detail="no answer after sending: ConnectionError")
        return answer

    def _fault(self, operation: str) -> str:
        weather = self.faults.weather
        chance = {**dict.fromkeys(_SENDING, 1.0), "token": 0.05}.get(operation, _READS) * weather.transport
        if not self.faults.strikes(chance):
            return ""
        kinds = {**dict.fromkeys(_SENDING, _ON_REFUND), "events": _ON_EVENTS, "token": _ON_TOKEN}.get(operation, _ON_GET)
        fault = self.faults.dice.choice(kinds)
        if fault is FaultKind.FAILED_EVENT and self.faults.happened["portal refund"]:
            # A sum that lagged before the call and holds the portal's money after it says that ours moved: by decision a
            # consistent 200 is believed, and only the nightly comparison can tell.
            fault = FaultKind.ERROR_BEFORE
        self.faults.note(f"{operation}: {fault}")
        return fault

    def _arm(self, kind: FaultKind, operation: str) -> None:
        dice = self.faults.dice
        self.simulator.arm(
            Fault(
                kind=kind,
                api="token" if operation == "token" else None,
                code=dice.choice(_REFUSALS) if kind is FaultKind.REFUSE else None,
                seconds=dice.choice((30.0, 600.0, 3_600.0)),
                retry_after=dice.choice((None, None, "1", "30")),
                times=dice.choice((1, 2)) if kind is FaultKind.UNAUTHORIZED else 1,
            )
        )

    def _arrives(self, request: Request, *, after: float) -> None:
        """The same request reaches Vipps then, and nobody hears the answer."""

        def arrive() -> None:
            self._vipps.send(request, deadline=Deadline(ends_at=float("inf"), clock=lambda: 0.0))

        self.faults.stage.enter("on the wire", arrive, after=after)


def _operation(request: Request) -> str:
    if request.path.endswith(("/refund", "/cancel")):
        return request.path.rpartition("/")[2]
    if request.operation == "token":
        return "token"
    return "events" if request.path.endswith("/events") else "get"


def _key(request: Request) -> str:
    return request.headers.get("Idempotency-Key") or request.headers.get("X-Request-Id", "")


def _without_limits(deadline: Deadline) -> Deadline:
    """It is on its way: no deadline stops it any more."""
    return Deadline(ends_at=deadline.ends_at + 1e9, clock=deadline.clock)
