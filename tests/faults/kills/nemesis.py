"""Who kills, stops, flushes and cuts: lanes of faults side by side, each in an order fixed by the seed, spread over the run."""

from __future__ import annotations

import base64
import json
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg
import requests
from redis import Redis, RedisError

from tests.faults.kills.history import NOBODY, Event, History
from tests.faults.kills.town import SWEEPS, WORKERS, Town

LONGER_THAN_A_LEASE = 64.0
_UNREAD_SECONDS = 3
_SHUT_OFF_SECONDS = 240
"""Longer than Vipps' host is ever left alone once it answers again."""
_TRIES = 40
_TROUBLES = ("cut", "reset", "slow", "hang")
_QUEUE = "refunds"
_SENDING_TROUBLES = ("drop_before", "drop_after", "error_before", "error_after", "throttle", "unauthorized")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How often what happens within how many seconds."""

    seconds: float
    worker_kills: int
    each: int
    seed: int


@dataclass(frozen=True, kw_only=True)
class Destroyed:
    """A message that Redis held and lost before anybody read it."""

    refund_id: str
    at: datetime


class Nemesis:
    """Runs its lanes in threads. `done` counts what really happened, by kind."""

    def __init__(self, town: Town, plan: Plan, history: History) -> None:
        self.done: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.destroyed: list[Destroyed] = []
        self.redis_hangs: list[tuple[float, float]] = []
        """When Redis hung, in monotonic seconds."""
        self._town = town
        self._history = history
        self._plan = plan
        self._chance = random.Random(plan.seed)
        self._guard = threading.Lock()
        self._frozen: set[str] = set()
        self._threads = [threading.Thread(target=self._run, args=lane, name=lane[0]) for lane in self._lanes()]

    @property
    def kinds(self) -> set[str]:
        """Everything that must happen at least once."""
        return {name for lane in self._lanes() for name, _act in lane[1]}

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join()
        for link in self._town.links.values():
            link.heal()

    def _lanes(self) -> list[tuple[str, list[tuple[str, Callable[[], None]]]]]:
        plan, has_redis = self._plan, self._town.broker is not None
        workers = [("worker killed", lambda: self._kill(self._one_of(WORKERS), signal.SIGKILL))] * plan.worker_kills
        workers += [("worker told to end", lambda: self._kill(self._one_of(WORKERS), signal.SIGTERM))] * plan.each
        frozen = [("worker frozen past its lease", self._freeze_worker)] * plan.each
        servers: list[tuple[str, Callable[[], None]]] = [
            ("sweep killed", lambda: self._kill(self._chance.choice(SWEEPS), signal.SIGKILL)),
            ("web killed", lambda: self._kill("web", signal.SIGKILL)),
            ("simulator killed", self._kill_simulator),
            ("simulator in trouble", self._arm_simulator),
            ("database backend terminated", self._terminate_backend),
            ("database killed", self._kill_postmaster),
        ]
        broker: list[tuple[str, Callable[[], None]]] = [
            ("redis killed", self._kill_redis),
            ("redis flushed", self._flush_redis),
            ("redis frozen", self._freeze_redis),
        ]
        links: list[tuple[str, Callable[[], None]]] = [
            (f"{link} {trouble}", lambda link=link, trouble=trouble: self._disturb(link, trouble))  # type: ignore[misc]
            for link in self._town.links
            for trouble in _TROUBLES
        ]
        lanes = [("servers", servers * plan.each), ("links", links * plan.each)]
        of_broker = [("workers", workers), ("frozen", frozen), ("broker", broker * plan.each)]
        return [*of_broker, *lanes] if has_redis else lanes

    def _run(self, lane: str, faults: list[tuple[str, Callable[[], None]]]) -> None:
        random.Random(f"{self._plan.seed}/{lane}").shuffle(faults)
        began = time.monotonic()
        first = 0.0 if lane == "frozen" else 0.5  # a freeze takes longer than anything else
        for number, (name, act) in enumerate(faults):
            due = began + self._plan.seconds * (number + first) / len(faults)
            time.sleep(max(due - time.monotonic(), 0))
            self._history.add(Event(at=self._history.now, till=NOBODY, what="fault", key=name, kind="invoke"))
            if self._does(act):
                with self._guard:
                    self.done[name] += 1
            else:
                self.failed[name] += 1

    def _does(self, act: Callable[[], None]) -> bool:
        """Whom it was meant for may just be dead of another fault: then it comes again a little later."""
        for _ in range(_TRIES):
            try:
                act()
            except (OSError, psycopg.Error, RedisError, requests.RequestException, _Missed):
                time.sleep(1)
            else:
                return True
        return False

    def _one_of(self, names: tuple[str, ...]) -> str:
        with self._guard:
            return self._chance.choice([name for name in names if name not in self._frozen] or list(names))

    def _pid(self, name: str) -> int:
        """Waits for it to run: a signal to process 0 would hit ourselves."""
        for _ in range(100):
            pid = self._town.supervisor.pid_of(name)
            if pid > 1:
                return pid
            time.sleep(0.1)
        raise _Missed(name)

    def _kill(self, name: str, number: signal.Signals) -> None:
        pid = self._pid(name)
        if number is signal.SIGKILL:
            os.killpg(pid, number)
        else:
            os.kill(pid, number)

    def _freeze_worker(self) -> None:
        name = self._one_of(WORKERS)
        pid = self._pid(name)
        with self._guard:
            self._frozen.add(name)
        try:
            self._freeze(pid, LONGER_THAN_A_LEASE)
            if self._town.supervisor.pid_of(name) != pid:
                raise _Missed(name)
        finally:
            with self._guard:
                self._frozen.discard(name)

    def _freeze(self, pid: int, seconds: float) -> None:
        os.killpg(pid, signal.SIGSTOP)
        try:
            time.sleep(seconds)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGCONT)

    def _kill_simulator(self) -> None:
        self._kill("simulator", signal.SIGKILL)

    def _arm_simulator(self) -> None:
        faults = [{"kind": kind, "operation": "refund", "times": 2} for kind in _SENDING_TROUBLES]
        told = requests.post(f"{self._town.provider_url}/_simulator/faults", json={"faults": faults}, timeout=5)
        told.raise_for_status()

    def _kill_redis(self) -> None:
        with self._messages_waiting():
            self._kill("redis", signal.SIGKILL)

    def _flush_redis(self) -> None:
        with self._messages_waiting():
            if self._town.broker is not None:
                self._town.broker.flushall()

    @contextmanager
    def _messages_waiting(self) -> Iterator[None]:
        """Freeze the workers for a moment, so that there is something to lose; count it.

        It waits for Vipps' host where that is shut off: what is lost then would wait on purpose, and show nothing. So would
        the crowd that comes when it is asked again: its rescue takes as long as the crowd does.
        """
        until = time.monotonic() + _SHUT_OFF_SECONDS
        while self._is_shut_off() and time.monotonic() < until:
            time.sleep(0.5)
        pids = [pid for name in WORKERS if name not in self._frozen and (pid := self._town.supervisor.pid_of(name)) > 1]
        for pid in pids:
            os.killpg(pid, signal.SIGSTOP)
        try:
            time.sleep(_UNREAD_SECONDS)
            if self._town.broker is not None:
                with self._guard:
                    self.destroyed += _messages_in(self._town.broker)
            yield
        finally:
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGCONT)

    def _is_shut_off(self) -> bool:
        with psycopg.connect(self._town.places.url, autocommit=True, connect_timeout=5) as connection:
            found = connection.execute(
                "SELECT EXISTS (SELECT 1 FROM refunds_breaker WHERE opened_at IS NOT NULL)"
                " OR EXISTS (SELECT 1 FROM refunds_refund WHERE waits_for <> '')"
            ).fetchone()
        return bool(found and found[0])

    def _freeze_redis(self) -> None:
        began = time.monotonic()
        self._freeze(self._pid("redis"), 4.0)
        self.redis_hangs.append((began, time.monotonic()))

    def _terminate_backend(self) -> None:
        with psycopg.connect(self._town.places.url, autocommit=True, connect_timeout=5) as connection:
            ended = connection.execute(
                "SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
                " AND pid <> pg_backend_pid() AND datname = current_database() ORDER BY random() LIMIT 1) AS one"
            ).fetchone()
        if ended is None or not ended[0]:
            raise _Missed("backend")

    def _kill_postmaster(self) -> None:
        pid = self._town.postmaster()
        if pid < 2:
            raise _Missed("postmaster")
        os.kill(pid, signal.SIGKILL)
        time.sleep(3)  # its own process starts it again

    def _disturb(self, name: str, trouble: str) -> None:
        link = self._town.links[name]
        try:
            if trouble == "reset":
                link.reset()
            elif trouble == "cut":
                link.cut()
                time.sleep(2)
            elif trouble == "slow":
                link.slow_down(0.05 if name == "hub-database" else 0.4)
                time.sleep(4)
            else:
                link.hang()
                time.sleep(3)
        finally:
            link.heal()


def _messages_in(broker: Redis) -> list[Destroyed]:
    now = datetime.now(UTC)
    bodies = [json.loads(base64.b64decode(json.loads(message)["body"])) for message in broker.lrange(_QUEUE, 0, -1)]
    return [Destroyed(refund_id=body[0][0], at=now) for body in bodies if body[0]]


class _Missed(Exception):
    """The fault found nobody to happen to."""
