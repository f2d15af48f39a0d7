"""One thread and many actors that take turns at yield points, under one clock: who goes next is the dice's to say."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from greenlet import getcurrent, greenlet

Body = Callable[[], None]


class Crash(BaseException):
    """The process is gone: nothing catches it, and its open transaction is rolled back."""


@dataclass(kw_only=True, eq=False)
class Actor:
    """A process of the hub, or somebody beside it, with a database connection of its own."""

    name: str
    body: Body
    connection: BaseDatabaseWrapper
    wakes_at: float
    hub: greenlet
    doing: str = ""
    let: greenlet = field(init=False)
    crashed: bool = False

    def __post_init__(self) -> None:
        # Whoever ends gives the turn back to the stage, not to the actor that let it enter.
        self.let = greenlet(self._live, self.hub)

    def _live(self) -> None:
        try:
            self.body()
        except Crash:
            self.crashed = True


class Connections:
    """Connections that actors borrow: a process that died leaves none of its transaction behind."""

    def __init__(self, prepare: Callable[[BaseDatabaseWrapper], None]) -> None:
        self._prepare = prepare
        self._free: list[BaseDatabaseWrapper] = []

    def borrow(self) -> BaseDatabaseWrapper:
        if self._free:
            return self._free.pop(0)
        made = connections.create_connection("default")
        self._prepare(made)
        return made

    def give_back(self, connection: BaseDatabaseWrapper) -> None:
        if connection.in_atomic_block or connection.connection is None or connection.connection.closed:
            connection.in_atomic_block = False
            connection.closed_in_transaction = False
            connection.close()
        connection.run_on_commit = []
        connection.run_commit_hooks_on_set_autocommit_on = False
        connection.savepoint_ids, connection.atomic_blocks = [], []
        connection.needs_rollback = connection.errors_occurred = False
        self._free.append(connection)

    def close(self) -> None:
        for connection in self._free:
            connection.close()


class Stage:
    """Runs actors until they rest. `now` is in seconds since the schedule began."""

    def __init__(self, dice: random.Random, lent: Connections) -> None:
        self.dice = dice
        self.now = 0.0
        self.actors: list[Actor] = []
        self.current: Actor | None = None
        self.crashes = 0
        self._lent = lent
        self.main = connections["default"]
        self._hub = getcurrent()

    def enter(self, name: str, body: Body, *, after: float = 0.0) -> Actor:
        actor = Actor(name=name, body=body, connection=self._lent.borrow(), wakes_at=self.now + after, hub=self._hub)
        self.actors.append(actor)
        return actor

    def pause(self, seconds: float) -> None:
        """Let others go on for so long; on the hub's own turn only the clock moves."""
        if self.current is None:
            self.now += seconds
            return
        self.current.wakes_at = self.now + seconds
        self._hub.switch()

    def run(self, *, until: float) -> None:
        """Turns, until that moment or until nobody has anything to do before it; then it is that moment."""
        while self.actors:
            ready = [actor for actor in self.actors if actor.wakes_at <= self.now]
            if not ready:
                first = min(actor.wakes_at for actor in self.actors)
                if first > until:
                    break
                self.now = max(self.now, first)
                continue
            self._turn(ready[self.dice.randrange(len(ready))])
            if self.now >= until:
                break
        self.now = max(self.now, until)

    def kill(self, actor: Actor) -> None:
        """The process dies where it stands."""
        if actor.let.dead or not actor.let:
            self._leave(actor)
            return
        self._turn(actor, throwing=True)
        if actor in self.actors:
            raise RuntimeError(f"{actor.name} outlived its death")

    def _turn(self, actor: Actor, *, throwing: bool = False) -> None:
        connections["default"] = actor.connection
        self.current = actor
        try:
            if throwing:
                actor.let.throw(Crash())
            else:
                actor.let.switch()
        finally:
            self.current = None
            connections["default"] = self.main
        if actor.let.dead:
            self._leave(actor)

    def _leave(self, actor: Actor) -> None:
        self.actors.remove(actor)
        self.crashes += actor.crashed
        self._lent.give_back(actor.connection)
