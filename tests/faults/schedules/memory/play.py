"""One seed in memory: workers as generators that stop at every yield point, where they die, freeze or go on."""

import copy
import heapq
import random
import uuid
from collections import Counter
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from refunds import deciding, evidence, identity, states
from refunds.deciding import Reading, Step
from refunds.gateway import Meaning, Outcome
from refunds.models import ENDS, State
from stores.vipps.types import Event, Payment
from tests.faults.schedules.ground import BEGINS
from tests.faults.schedules.memory.judge import judge
from tests.faults.schedules.memory.rows import AttemptRow, Hub, Row, keys_of
from tests.faults.schedules.memory.vipps import Vipps
from tests.faults.schedules.tally import Tally

Life = Generator[float, None, None]
_STALLS = (0.3, 2.0, 6.0, 6.0, 35.0, 61.0, 61.0, 130.0, 700.0, 4_000.0, 30_000.0, 50_000.0, 90_000.0)
_ON_WIRE = 20_000.0
_LATE = (2.0, 30.0, 100.0, 600.0, 600.0, 4_000.0, 20_000.0)
_SAID = {
    "429": Outcome(meaning=Meaning.THROTTLED, status=429),
    "423": Outcome(meaning=Meaning.LOCKED, status=423, code="6160"),
    "401": Outcome(meaning=Meaning.UNAUTHORIZED, status=401),
    "403": Outcome(meaning=Meaning.MISCONFIGURED, status=403),
    "not sent": Outcome(meaning=Meaning.NOT_SENT),
    "5xx before": Outcome(meaning=Meaning.UNSURE, status=503),
    "lost": Outcome(meaning=Meaning.UNSURE),
    "late": Outcome(meaning=Meaning.UNSURE),
}
_AFTER = ("answer lost", "5xx after", "lagging")
_ON_REFUND = (*_SAID, *_AFTER, *_AFTER, "refused", "refused", "fails in the event", "doubled", "late", "lost", "429", "423")
_ON_READ = ("lost", "429", "stale", "stale", "no keys", "5xx before", "lagging", "403")
_KEYS_KEPT = timedelta(hours=24)
"""Longer than a key may be sent again and than a frozen worker and the wire can hold it back: else nothing is provable."""
_QUIET = timedelta(minutes=15)


@dataclass(kw_only=True)
class Play:
    """Everything of one schedule; `run` gives what happened and what was violated."""

    seed: int
    now: float = 0.0
    happened: Counter[str] = field(default_factory=Counter)
    reached: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    checked_at: datetime | None = None
    is_chaos: bool = True
    epoch: int = 0
    _queue: list[tuple[float, int, int, Life]] = field(default_factory=list)
    _made: int = 0

    def run(self) -> Tally:
        dice = self.dice = random.Random(self.seed)
        self.crash, self.stall = dice.choice((0.04, 0.08, 0.15)), dice.choice((0.04, 0.08, 0.15))
        self.trouble = dice.choice((0.3, 0.6, 0.9, 1.0))
        self.is_restored = dice.random() < 0.12
        # what is on the wire while a database is restored is given fifteen minutes
        self.late = tuple(seconds for seconds in _LATE if seconds < _QUIET.total_seconds() or not self.is_restored)
        captured = dice.choice((100_000, 100_000, 60_000))
        self.hub = Hub(claimed_minor=100_000)
        kept = dice.choice((None, _KEYS_KEPT, 2 * _KEYS_KEPT))
        self.vipps = Vipps(captured_minor=captured, dice=dice, is_sticky=dice.random() < 0.7, keeps_keys=kept)
        amounts = dice.choice(((30_000, 30_000), (60_000, 60_000), (100_000, 40_000), (10_000, 25_000)))
        names = [f"sim-{self.seed}-{number}" for number in range(dice.choice((1, 1, 2, 2, 3)))]
        self.wishes = [(identity.refund_id("desk:1", name), dice.choice(amounts)) for name in names]
        self._chaos()
        self._calm()
        self.wrong += judge(self.hub, self.vipps, self.wishes)
        tally = Tally(schedules=1, refunds=len(self.hub.rows), faults=self.happened, reached=self.reached)
        tally.ends.update(row.state.value for row in self.hub.rows.values())
        tally.violations.update(what.split(":")[0] for what in self.wrong)
        if self.wrong:
            tally.failed[self.seed] = self.wrong
        return tally

    @property
    def at(self) -> datetime:
        return BEGINS + timedelta(seconds=self.now)

    # Time

    def _enter(self, life: Life, *, after: float = 0.0, epoch: int | None = None) -> None:
        self._made += 1
        mark = self.epoch if epoch is None else epoch
        heapq.heappush(self._queue, (self.now + after + self.dice.random() * 1e-3, self._made, mark, life))

    def _until(self, moment: float) -> None:
        while self._queue and self._queue[0][0] <= moment:
            at, _, epoch, life = heapq.heappop(self._queue)
            self.now = max(self.now, at)
            if epoch not in (self.epoch, -1):
                continue  # its process died with the restore
            wait = next(life, None)
            if wait is not None:
                self._enter(life, after=wait, epoch=epoch)
        self.now = max(self.now, moment)

    def _chaos(self) -> None:
        dice, lasts = self.dice, self.dice.choice((60.0, 300.0, 1_200.0, 7_200.0, 50_000.0, 130_000.0))
        for wish in self.wishes:
            for _ in range(dice.choice((1, 2))):
                self._enter(self._till(*wish), after=dice.choice((0.0, 2.0, lasts * 0.4)))
        if dice.random() < 0.25:
            self._enter(self._portal(), after=dice.random() * lasts)
        for number in range(1, 13):
            self._enter(self._sweep(), after=lasts * number / 13)
        if self.is_restored:
            self._until(dice.random() * lasts / 2)
            backup = self.hub.backup()
            self._until(self.now + dice.random() * lasts / 2)
            self._restore(backup)
        self._until(lasts)

    def _calm(self) -> None:
        self.is_chaos = False
        for wait in (15, 60, 300, 1_800, 7_200, 14_400, 28_800, 43_200, 43_200, 86_400, 86_400, 86_400, 86_400):
            self._until(self.now + wait)
            self._enter(self._sweep())
            self._until(self.now + 60.0)
            if not self._queue and all(row.state in (*ENDS, State.REVIEW) for row in self.hub.rows.values()):
                return

    # Faults

    def _point(self, place: str, row: Row | None, *, most: float = 1e9) -> float | None:
        """Seconds to freeze; None to die. A commit that is refused ends the work too."""
        drawn = self.dice.random() if self.is_chaos else 1.0
        if drawn < self.crash:
            self._note("crash", place, row)
            return None
        if drawn < self.crash + self.stall:
            self._note("stall", place, row)
            return min(most, self.dice.choice(_STALLS))
        return self.dice.choice((0.0, 0.05, 0.3))

    def _fault(self, kinds: tuple[str, ...], chance: float, place: str, row: Row) -> str:
        if not self.is_chaos or self.dice.random() >= chance:
            return ""
        fault = self.dice.choice(kinds)
        self._note(fault, place, row)
        return fault

    def _note(self, fault: str, place: str, row: Row | None) -> None:
        self.happened[fault] += 1
        self.reached[f"{row.state.value if row else 'nothing yet'} | {fault} | {place}"] += 1

    # Actors

    def _till(self, refund_id: uuid.UUID, amount_minor: int) -> Life:
        wait = self._point("accept", None)
        if wait is not None:
            yield wait
            self.hub.accept(refund_id, amount_minor, self.at)
        if self.hub.rows.get(refund_id) is not None and self.dice.random() < 0.7:
            self._enter(self._worker(refund_id))

    def _portal(self) -> Life:
        self.vipps.portal(self.dice.choice((*(amount for _, amount in self.wishes), 10_000)), self.at)
        self.happened["portal refund"] += 1
        yield 0.0

    def _sweep(self) -> Life:
        yield 0.0
        for row in list(self.hub.rows.values()):
            now, old = self.at, self.at - states.GIVE_TO_PEOPLE_AFTER
            if row.state == State.SENDING and row.lease_until is not None and row.lease_until < now:
                self.hub.move(row, states.T13_LEASE_LAPSED, now, fence=row.fence, next_action_at=now)
            last = row.last_send_at or row.accepted_at
            if row.state == State.UNKNOWN and (last < old or row.outcome == "keys_used_up"):
                self.hub.move(row, states.T14_TOO_OLD, now, fence=row.fence)
            if row.state == State.QUEUED and row.accepted_at < old and row.outcome:
                self.hub.move(row, states.T14_UNUSABLE, now, fence=row.fence)
            if row.state in states.T5_CLAIM.before and row.next_action_at <= now:
                self._enter(self._worker(row.id))
        self._end_restore()

    def _worker(self, refund_id: uuid.UUID) -> Life:
        for _ in range(4):
            yield from self._step(refund_id)
            row = self.hub.rows.get(refund_id)
            if row is None or row.state not in states.T5_CLAIM.before:
                return
            pause = (row.next_action_at - self.at).total_seconds()
            if pause > 2.5:
                return
            yield max(0.0, pause)

    def _step(self, refund_id: uuid.UUID) -> Life:
        row = self.hub.rows.get(refund_id)
        claimed = self._claim(row)
        if row is None or claimed is None:
            return
        wait = self._point("after claim", row)
        if wait is None:
            return
        yield wait
        may_be_sent = claimed.sends > 0 or self.hub.was_restored
        payment = self._read_payment(row)
        if isinstance(payment, Outcome):
            self._give_up_reading(row, claimed, payment)
            return
        events: tuple[Event, ...] | None = None
        if may_be_sent or payment.aggregate.refunded > self.hub.posted_minor + self.hub.external_minor:
            wait = self._point("between reads", row)
            if wait is None:
                return
            yield wait
            found = self._read_events(row)
            if isinstance(found, Outcome):
                self._give_up_reading(row, claimed, found)
                return
            events = found
        self.hub.captured_minor = max(payment.aggregate.captured, self.hub.captured_minor or 0)
        if events is not None:
            self.hub.adopt(events)
            self._settle_others(row, events)
        reading = Reading(payment=payment, events=events)
        wait = self._point("after reading", row)
        if wait is None:
            return
        yield wait
        standing = self._standing(row, claimed)
        if events is not None:
            step = deciding.resolve(standing, reading, self.hub.books, self.at)
            if step is not None:
                self._take(row, claimed, step)
                return
        yield from self._send(row, claimed, standing, reading)

    def _send(self, row: Row, claimed: Row, standing: deciding.Standing, reading: Reading) -> Life:
        recent = self.hub.recent_sends(self.at - deciding.A_MINUTE)
        obstacle = deciding.before_sending(
            standing, reading, self.hub.books, self.at, recent_sends=recent, is_held_back=self.hub.is_held_back
        )
        if obstacle is not None:
            self._take(row, claimed, obstacle)
            return
        attempt = self._intend(row, claimed)
        if attempt is None:
            return
        committed = self.now
        wait = self._point("after intent", row)
        if wait is None:
            return
        yield wait
        expected = deciding.refunded_before(reading, self.hub.books) + row.amount_minor
        if self.now - committed > states.SEND_WITHIN_SECONDS:
            outcome = _SAID["not sent"]
        else:
            wait = self._point("between deadline and write", row, most=_ON_WIRE)
            if wait is None:
                return
            yield wait
            outcome = self._call(row, attempt.key, expected)
        if outcome.meaning in (Meaning.UNSURE, Meaning.LAGGING, Meaning.AHEAD):
            self.happened["unresolved send"] += 1
        wait = self._point("after answer", row)
        if wait is None:
            self.happened["unresolved send"] += 1
            return
        yield wait
        attempt.answer = outcome.meaning
        self._take(row, claimed, deciding.after_answer(standing, outcome, intended_at=attempt.intended_at, now=self.at))

    # What they do, each in one transaction

    def _claim(self, row: Row | None) -> Row | None:
        if row is None or self.hub.on_hold or row.next_action_at > self.at:
            return None
        if not self.hub.move(row, states.T5_CLAIM, self.at, lease_until=self.at + states.LEASE):
            return None
        row.fence += 1
        return copy.copy(row)

    def _intend(self, row: Row, claimed: Row) -> AttemptRow | None:
        now = self.at
        if (row.fence, row.state) != (claimed.fence, State.SENDING) or row is not self.hub.rows.get(row.id):
            return None
        if row.lease_until is None or row.lease_until <= now + states.CALL_BUDGET:
            return None
        row.sends, row.indeterminate_since, row.last_send_at = row.sends + 1, now, now
        attempt = AttemptRow(key=keys_of(row.id)[row.generation], generation=row.generation, intended_at=now)
        row.attempts.append(attempt)
        return attempt

    def _take(self, row: Row, claimed: Row, step: Step) -> None:
        if step.move is states.T7_SUCCESS:
            self.hub.settle(row, self.at, psp_reference=step.changes.get("psp_reference", ""))
        else:
            self.hub.move(row, step.move, self.at, fence=claimed.fence, **step.changes)

    def _give_up_reading(self, row: Row, claimed: Row, outcome: Outcome) -> None:
        standing = self._standing(row, claimed)
        self._take(row, claimed, deciding.after_failed_reading(standing, outcome, is_unknown=False, now=self.at))

    def _standing(self, row: Row, claimed: Row) -> deciding.Standing:
        return row.standing(claimed, is_after_restore=self.hub.was_restored)

    def _settle_others(self, but: Row, events: tuple[Event, ...]) -> None:
        for other in self.hub.rows.values():
            if other is but or other.state == State.REFUNDED:
                continue
            signed = evidence.signed(events, keys_of(other.id))
            exact = [event for event in signed if event.amount.value == other.amount_minor]
            if exact and (len(signed) == 1 or other.state in ENDS):
                self.hub.settle(other, self.at, psp_reference=exact[0].psp_reference)

    # Vipps

    def _call(self, row: Row, key: str, expected: int) -> Outcome:
        fault = self._fault(_ON_REFUND, self.trouble, "refund", row)
        if fault in ("late", "doubled"):
            self._enter(self._arrival(key, row.amount_minor), after=self.dice.choice(self.late), epoch=-1)
        if fault in _SAID:
            return _SAID[fault]
        if fault == "refused":
            refusal = self.dice.choice(("6150", "6180", "6210", "5100"))
            return self.vipps.refund(key, row.amount_minor, expected, self.at, refusal=refusal)
        if fault == "fails in the event":
            return self.vipps.fail(key, row.amount_minor, expected, self.at)
        outcome = self.vipps.refund(key, row.amount_minor, expected, self.at)
        if fault in _AFTER:
            is_lag = fault == "lagging" and outcome.meaning is Meaning.SUCCESS
            return Outcome(meaning=Meaning.LAGGING if is_lag else Meaning.UNSURE)
        return outcome

    def _arrival(self, key: str, amount_minor: int) -> Life:
        self.vipps.refund(key, amount_minor, 0, self.at)
        yield 0.0

    def _read_payment(self, row: Row) -> Payment | Outcome:
        fault = self._fault(_ON_READ, self.trouble / 3, "get", row)
        if fault in _SAID:
            return _SAID[fault]
        return self.vipps.payment(until=self.at - self._lag() if fault in ("stale", "lagging") else None)

    def _read_events(self, row: Row) -> tuple[Event, ...] | Outcome:
        fault = self._fault(_ON_READ, self.trouble / 3, "events", row)
        if fault in _SAID:
            return _SAID[fault]
        until = self.at - self._lag() if fault in ("stale", "lagging") else None
        return self.vipps.log(until=until, with_keys=fault != "no keys")

    def _lag(self) -> timedelta:
        return timedelta(seconds=self.dice.choice((30.0, 600.0, 3_600.0)))

    # Restores

    def _restore(self, backup: Hub) -> None:
        self.happened["restore"] += 1
        self.epoch += 1
        self.hub = backup
        self.hub.is_held_back = self.hub.was_restored = True
        self.checked_at = None
        for wish in self.wishes:
            if self.dice.random() < 0.7:
                self._enter(self._till(*wish), after=self.dice.random() * 60)
        for number in range(5):
            self._enter(self._sweep(), after=number * 400.0)

    def _end_restore(self) -> None:
        """Every order is read, then fifteen minutes of quiet; as `restoring.check_restores`."""
        if not self.hub.is_held_back:
            return
        if self.checked_at is None:
            log = self.vipps.log()
            self.hub.adopt(log)
            for row in self.hub.rows.values():
                self._settle_others(row, log)
            self.checked_at = self.at
        elif self.at >= self.checked_at + _QUIET:
            self.hub.is_held_back = False


def run(seeds: Iterable[int]) -> Tally:
    """Play those seeds."""
    tally = Tally()
    for seed in seeds:
        tally.add(Play(seed=seed).run())
    return tally
