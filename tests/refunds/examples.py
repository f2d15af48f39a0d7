"""One example of a state machine: a Vipps, clocks and a broker of its own, in a database that forgets it afterwards."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, cast

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from stores import nudge, sessions
from stores.vipps.simulator import Simulator, Switches
from stores.vipps.wsgi_transport import WsgiTransport
from tests.conftest import Chain
from tests.refunds.sweeping import Broker, Time, moved_by_hand

IS_NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"


def effort(examples: int, steps: int = 30) -> settings:
    """The same examples in every run; with HYPOTHESIS_PROFILE=nightly a hundred times as many, longer, new ones, and the
    failing one is made as short as can be."""
    return settings(
        max_examples=examples * 100 if IS_NIGHTLY else examples,
        stateful_step_count=80 if IS_NIGHTLY else steps,
        derandomize=not IS_NIGHTLY,
        database=None,
        deadline=None,
        print_blob=True,
        phases=tuple(Phase) if IS_NIGHTLY else (Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )


def explore(machine: Callable[[], RuleBasedStateMachine], *, examples: int) -> None:
    """Run a machine, made anew for each example. (The library's type says "class" where any maker will do.)"""
    run_state_machine_as_test(cast("type[RuleBasedStateMachine]", machine), settings=effort(examples))


@dataclass(frozen=True, kw_only=True)
class Example:
    """The cast in a world of its own; `end` leaves nothing behind."""

    chain: Chain
    time: Time
    broker: Broker
    _stack: ExitStack

    def travel(self, **much: float) -> None:
        """Nothing that is on its way to Vipps takes longer than an hour."""
        if timedelta(**much) > timedelta(hours=1):
            self.chain.simulator.wsgi.arrive_late()
        self.time.move(**much)

    def end(self) -> None:
        self._stack.close()


def begin(chain: Chain) -> Example:
    """The same cast before a fresh Vipps, whose clock and the hub's are moved together."""
    stack = ExitStack()
    time = stack.enter_context(moved_by_hand())
    simulator = Simulator(seed=1, switches=Switches(rate_limits=False), base=lambda: time.now.timestamp())
    for msn, unit in chain.simulator.merchants.units.items():
        simulator.add_sales_unit(msn, unit.currency, keys=unit.keys)
    stack.enter_context(sessions.use_transport(WsgiTransport(simulator.wsgi)))
    broker = Broker()
    patched: Any = stack.enter_context(pytest.MonkeyPatch.context())
    patched.setattr(nudge, "publish", broker.publish)
    stack.enter_context(_forgotten())
    return Example(chain=replace(chain, simulator=simulator), time=time, broker=broker, _stack=stack)


@contextmanager
def _forgotten() -> Iterator[None]:
    """What is written in the block is undone; verbs that insist on a transaction of their own look past it, as they look
    past a test's own."""
    block: Any = transaction.atomic()
    block._from_testcase = True
    with block:
        try:
            yield
        finally:
            transaction.set_rollback(True)
