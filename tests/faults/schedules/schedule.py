"""One schedule: what its seed says happens, then calm until all is at rest, then the judge."""

import logging
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from refunds import restoring
from refunds.models import ENDS, Attempt, Kind, Refund, RestoreEpoch, State
from stores import clock, nudge, sessions
from stores.vipps.simulator import Switches
from tests.faults.schedules import database, restores
from tests.faults.schedules.broker import Broker
from tests.faults.schedules.faults import Faults, Weather
from tests.faults.schedules.ground import BEGINS, BY, Ground, clear_what_was_played
from tests.faults.schedules.judge import judge
from tests.faults.schedules.parts import Parts, Wish, told
from tests.faults.schedules.stage import Actor, Connections, Stage
from tests.faults.schedules.tally import Tally, Violation
from tests.faults.schedules.vipps import Wire

ORDER_MINOR = 100_000
_RESTORED = 0.12
_RESERVED = 0.12
_REST = (15.0, 15.0, 60.0, 300.0, 1_800.0, 7_200.0, 14_400.0, 28_800.0, 43_200.0, 43_200.0, 43_200.0, 86_400.0, 86_400.0)
_ALL_AWAKE, _GIVES_UP, _LATEST_LOOK = 150_000.0, 900_000.0, 43_200.0
_MOST_MESSAGES = 60
_KEPT_HOURS = 24.0
"""A key is remembered longer than it may be sent again and than a frozen worker and the wire can hold it back: else
nothing could be proved about it."""
_LASTS = (60.0, 300.0, 1_200.0, 7_200.0, 50_000.0, 130_000.0)
"""Seconds of chaos."""
_SWEEPS = 4
_LENGTH_OF_ID = 36

_INTENTS = """
SELECT count(*)
FROM refunds_attempt AS attempt
JOIN refunds_refund AS refund ON refund.id = attempt.refund_id
JOIN stores_order AS sold ON sold.id = refund.order_id
WHERE (%(key)s <> '' AND attempt.provider_key = %(key)s)
   OR (%(key)s = '' AND refund.kind = 'release' AND strpos(%(path)s, '/' || sold.reference || '/') > 0)
"""
"""Intents that this key was written down with; where a call has no key, those of the payment."""


@dataclass(kw_only=True)
class Schedule:
    """Plays one seed on a ground that is laid; `run` gives what happened and what was violated."""

    seed: int
    ground: Ground
    lent: Connections
    is_stopping: bool = False

    def run(self) -> Tally:
        self._prepare()
        surprises = _Surprises()
        source = clock.Source(
            now=lambda: BEGINS + timedelta(seconds=self.stage.now),
            monotonic=lambda: 1_000.0 + self.stage.now,
            token=random.Random(self.seed).randbytes,
            sleep=self.stage.pause,
        )
        wire = Wire(simulator=self.vipps, faults=self.faults, sent=self._check_intent)
        clear_what_was_played()
        with clock.bound(source), sessions.use_transport(wire), _published_to(self.broker), surprises.caught():
            self._sell()
            try:
                with database.troubled(self.faults):
                    restored = self._chaos()
                    self._calm()
            finally:
                self._stop(lambda actor: True)
            self.faults.note("unresolved send", times=self._unresolved())
            violations = judge(
                self.parts.orders, self.parts.wishes, vipps=self.vipps, ground=self.ground, was_restored=restored
            )
        violations += [Violation(invariant="errors", what=what) for what in self.parts.surprises + surprises.found]
        return self._told(self.violations + violations)

    def _prepare(self) -> None:
        self.dice = random.Random(self.seed)
        self.stage = Stage(self.dice, self.lent)
        self.faults = Faults(self.dice, self.stage, Weather.drawn(self.dice), state_of=self._state_of)
        self.vipps = self.ground.vipps(
            switches=_drawn_switches(self.dice), now=lambda: BEGINS.timestamp() + self.stage.now
        )
        self.broker = Broker(faults=self.faults)
        self.violations: list[Violation] = []
        self.lasts = self.dice.choice(_LASTS)
        self.parts = Parts(
            stage=self.stage,
            faults=self.faults,
            broker=self.broker,
            ground=self.ground,
            vipps=self.vipps,
            orders=[],
            wishes=[],
            sweeps_every=max(15.0, self.lasts / _SWEEPS),
        )

    def _sell(self) -> None:
        """What was bought and what the tills want: in one schedule of eight nothing is taken yet, and mostly to be released."""
        dice, other = self.dice, random.Random(f"{self.seed} reserved")
        is_reserved = other.random() < _RESERVED
        for number in range(dice.choice((1, 1, 1, 2))):
            code = dice.choice(("BGO", "BGO", "TRD"))
            is_short = dice.random() < 0.12
            reference = f"{number}-{_letters(self.seed)}" if is_short else f"{code}-SIM-{self.seed}-{number}"
            captured = dice.choice((ORDER_MINOR, ORDER_MINOR, ORDER_MINOR, 60_000))
            self.vipps.add_payment(
                self.ground.units[code].msn,
                reference,
                amount_minor=ORDER_MINOR,
                captured_minor=0 if is_reserved else captured,
                paid_at=BEGINS - timedelta(days=1),
                api="ecom" if is_short else "epayment",
            )
            sell = self.ground.reserved if is_reserved else self.ground.sold
            self.parts.orders.append(sell(code, reference, ORDER_MINOR))
        amounts = dice.choice(((30_000, 30_000), (60_000, 60_000), (100_000, 40_000), (10_000, 25_000)))
        for number in range(dice.choice((1, 2, 2, 3))):
            self.parts.wishes.append(
                Wish(
                    order=dice.choice(self.parts.orders),
                    code=dice.choice(("OSL", "BGO")),
                    amount_minor=dice.choice(amounts),
                    key=f"sim-{self.seed}-{number}",
                    is_release=is_reserved and other.random() < 0.8,
                )
            )

    def _chaos(self) -> bool:
        """Everybody at once, with faults; whether the database was restored in between."""
        dice = self.dice
        ends = self.lasts
        self._staff()
        for wish in self.parts.wishes:
            self.stage.enter("till", partial(self.parts.till, wish), after=dice.choice((0.0, 0.0, 2.0, 30.0, ends * 0.4)))
        self._visitors(ends)
        if dice.random() >= _RESTORED:
            self.stage.run(until=ends)
            return False
        self.stage.run(until=dice.random() * ends * 0.5)
        backup = restores.taken([order.pk for order in self.parts.orders], at=self.stage.now)
        self.stage.run(until=self.stage.now + dice.random() * ends * 0.5)
        self._restore(backup)
        self.stage.run(until=self.stage.now + ends * 0.5)
        return True

    def _staff(self) -> None:
        for number in range(self.dice.choice((1, 2, 3))):
            self.stage.enter(f"worker {number}", self._forever(self.parts.worker))
        for number in range(self.dice.choice((1, 1, 2))):
            self.stage.enter(f"sweep {number}", self._forever(self.parts.sweeper), after=self.dice.random() * 15)

    def _forever(self, body: Any) -> Any:
        """A supervisor starts what died anew."""

        def live() -> None:
            try:
                body()
            finally:
                if not self.parts.is_over and not self.is_stopping:
                    self.stage.enter("restarted", self._forever(body), after=self.dice.choice((0.5, 5.0, 30.0)))

        return live

    def _visitors(self, ends: float) -> None:
        dice, parts = self.dice, self.parts
        for chance, name, body in (
            (0.2, "portal", parts.portal),
            (0.1, "capture", parts.capture),
            (0.2, "cancel", lambda: parts.person(parts.cancel)),
            (0.6, "approve", lambda: parts.person(parts.approve)),
            (0.1, "reject", lambda: parts.person(parts.reject)),
            (0.4, "notice", parts.tell),
        ):
            if dice.random() < chance:
                self.stage.enter(name, body, after=dice.random() * ends)

    def _restore(self, backup: restores.Backup) -> None:
        self._stop(lambda actor: actor.name != "on the wire")
        restores.restore(backup)
        self.faults.note("restore")
        sessions.forget_all()
        restoring.declare_restore(
            self.ground.company,
            restored_to=BEGINS + timedelta(seconds=backup.at),
            reason="drill",
            declared_by="simulation",
            by=BY,
        )
        if self.dice.random() < 0.5:
            self.broker.messages.clear()
        self._staff()
        for wish in self.parts.wishes:
            if not wish.answers or self.dice.random() < 0.5:
                self.stage.enter("till", partial(self.parts.till, wish), after=self.dice.random() * 30)

    def _stop(self, whom: Callable[[Actor], bool]) -> None:
        """Those processes die, and nobody starts them anew."""
        self.is_stopping = True
        for actor in [actor for actor in self.stage.actors if whom(actor)]:
            self.stage.kill(actor)
        self.is_stopping = False

    def _calm(self) -> None:
        """No fault any more; those who are frozen wake in their time, and what is on the wire arrives."""
        self.faults.is_on = False
        self.parts.is_over = True
        self.broker.wake()
        for seconds in _REST:
            self.stage.run(until=self.stage.now + seconds)
            self._look_round()
            if self._is_at_rest():
                break
        self.stage.run(until=self.stage.now + _ALL_AWAKE)
        while not self._is_at_rest() and self.stage.now < self.lasts + _GIVES_UP:
            self._look_round()
            self.stage.pause(_LATEST_LOOK)

    def _look_round(self) -> None:
        self.parts.pass_once()
        self._drain()

    def _drain(self) -> None:
        for _ in range(_MOST_MESSAGES):
            message = self.broker.take()
            if message is None:
                return
            self.parts.perform(message)

    def _is_at_rest(self) -> bool:
        moving = self._refunds().exclude(state__in=(*ENDS, State.REVIEW)).exclude(order__account__on_hold=True)
        return not moving.exists() and not RestoreEpoch.objects.filter(ended_at=None).exists()

    def _refunds(self) -> Any:
        return Refund.objects.filter(order__in=self.parts.orders)

    def _unresolved(self) -> int:
        attempts = Attempt.objects.filter(refund__order__in=self.parts.orders)
        return attempts.filter(answer=None).count() + attempts.filter(answer__kind__in=("unsure", "lagging", "ahead")).count()

    def _check_intent(self, key: str, path: str) -> None:
        """I4, at the moment of sending, on another connection than the sender's."""
        with self.stage.main.cursor() as cursor:
            cursor.execute(_INTENTS, {"key": key, "path": path})
            [(written,)] = cursor.fetchall()
        if not written:
            self.violations.append(Violation(invariant="I4", what=f"{key or path} goes out, and no attempt is committed"))

    def _state_of(self, refund_id: str) -> str:
        if len(refund_id) != _LENGTH_OF_ID:
            return refund_id
        with self.stage.main.cursor() as cursor:
            cursor.execute("SELECT state FROM refunds_refund WHERE id = %s", [refund_id])
            found = cursor.fetchall()
        return str(found[0][0]) if found else "gone"

    def _told(self, violations: list[Violation]) -> Tally:
        tally = Tally(schedules=1, faults=self.faults.happened, reached=self.faults.reached)
        for refund in self._refunds():
            tally.refunds += refund.kind == Kind.REFUND
            tally.releases += refund.kind == Kind.RELEASE
            tally.ends[refund.state] += 1
        for violation in violations:
            tally.violations[violation.invariant] += 1
        if violations:
            tally.failed[self.seed] = [f"{violation.invariant}: {violation.what}" for violation in violations]
        return tally


@contextmanager
def _published_to(broker: Broker) -> Iterator[None]:
    real = nudge.publish
    patched: Any = nudge
    patched.publish = broker.publish
    try:
        yield
    finally:
        patched.publish = real


class _Surprises(logging.Handler):
    """Errors that the hub logged and went on from, other than a database that failed."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and type(error).__name__ not in ("OperationalError", "InterfaceError"):
            self.found.append(told(record.getMessage(), error))

    @contextmanager
    def caught(self) -> Iterator[None]:
        logger = logging.getLogger("refunds")
        before, logger.propagate = logger.propagate, False
        logger.addHandler(self)
        try:
            yield
        finally:
            logger.removeHandler(self)
            logger.propagate = before


def _drawn_switches(dice: random.Random) -> Switches:
    """What Vipps does not document, one way or the other."""
    return Switches(
        replay=dice.choice(("stored", "fresh")),
        key_scope=dice.choice(("operation", "payment", "sales_unit")),
        sticky_refusals=dice.choice((True, True, False)),
        key_retention_hours=dice.choice((None, _KEPT_HOURS, 48.0)),
        answer_amount=dice.choice(("original", "modification")),
        aggregate_lag=dice.choice((0.0, 0.0, 5.0, 60.0)),
        rate_limits=dice.choice((True, True, False)),
        retry_after=dice.choice((True, False)),
        limit_window=dice.choice(("sliding", "fixed")),
    )


def _letters(number: int) -> str:
    """A short reference for a long seed: base 36, at most five characters."""
    signs = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    text = ""
    for _ in range(5):
        number, place = divmod(number, 36)
        text = signs[place] + text
    return text
