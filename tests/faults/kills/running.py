"""A run from start to end: the town, the shop, tills and nemesis at once, then quiet, then judgement."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from django.db import OperationalError, connection

from hq.demo.database import migrate
from hq.demo.environments import Environments
from hq.demo.supervisor import Supervisor
from refunds.models import ENDS, Refund
from tests.faults.kills.goods import TILLS, Wish, open_shop
from tests.faults.kills.history import History
from tests.faults.kills.judging import applied_refunds, judge
from tests.faults.kills.nemesis import Nemesis, Plan
from tests.faults.kills.options import Options
from tests.faults.kills.report import Report
from tests.faults.kills.rescues import waits_of
from tests.faults.kills.tills import Answer, Till
from tests.faults.kills.town import Town, lay_out
from tests.faults.own_hub import BASE
from tests.faults.proxy import Links

_LOOKS = 5
"""A connection that was kept open since may turn out to be dead."""
_PATIENCE = 600.0
"""Seconds that the tills go on asking after the faults have ended."""


def run(options: Options, *, environments: Environments, say: Callable[[str], None]) -> Report:
    """Raises StartFailed, and whatever the set-up raises; a violation is in the report."""
    supervisor = Supervisor(folder=BASE, var=environments.var, say=say)
    town, specs = lay_out(supervisor, environments, has_redis=options.has_redis, latency=options.latency)
    with Links(*town.links.values()), supervisor:
        say(f"Starting PostgreSQL in {environments.var}.")
        supervisor.start(town.fleet.database())
        migrate()
        say("Starting " + ", ".join(spec.name for spec in specs) + ".")
        supervisor.start(*specs)
        api_keys, wishes = open_shop(town.provider_url, refunds=options.refunds, seed=options.seed)
        connection.close()
        say(f"{options.refunds} wishes and their faults over {options.minutes:g} minutes.")
        history = History(environments.var / "history.jsonl")
        plan = Plan(
            seconds=options.minutes * 60, worker_kills=options.worker_kills, each=options.each, seed=options.seed
        )
        nemesis = Nemesis(town, plan, history)
        tills = _tills(api_keys, wishes, town, options, history)
        began = time.monotonic()
        for till in tills:
            till.start()
        nemesis.start()
        nemesis.join()
        say(f"The faults ended after {time.monotonic() - began:.0f} s.")
        _let_tills_finish(tills)
        quiet_after = _wait_until_ended(options.settle, say)
        looks = _look_back(tills, wishes)
        history.close()
        return Report.of(
            options=options,
            nemesis=nemesis,
            tills=tills,
            verdict=judge(applied_refunds(town.provider_url), wishes, history.events, looks),
            waits=waits_of({wish.key for wish in wishes if wish.is_alone}, destroyed=nemesis.destroyed),
            events=history.events,
            links=town.links,
            quiet_after=quiet_after,
            seconds=time.monotonic() - began,
        )


def _tills(api_keys: Sequence[str], wishes: Sequence[Wish], town: Town, options: Options, history: History) -> list[Till]:
    per_second = options.refunds / (options.minutes * 60)
    return [
        Till(
            number,
            key=api_keys[number],
            hub_url=town.hub_url,
            wishes=[wish for wish in wishes if wish.till == number],
            per_second=per_second,
            history=history,
            seed=options.seed,
        )
        for number in range(TILLS)
    ]


def _let_tills_finish(tills: Sequence[Till]) -> None:
    until = time.monotonic() + _PATIENCE
    for till in tills:
        till.join(max(until - time.monotonic(), 0))
    for till in tills:
        till.patience.set()
    for till in tills:
        till.join()


def _wait_until_ended(settle: float, say: Callable[[str], None]) -> float:
    """Seconds until every refund had ended, at most `settle`."""
    began = time.monotonic()
    open_ones = -1
    while (waited := time.monotonic() - began) < settle:
        try:
            found = Refund.objects.exclude(state__in=ENDS).count()
        except OperationalError:  # it may still recover from its last death
            connection.close()
            found = -1
        if found != open_ones:
            say(f"{found} refunds are open.")
            open_ones = found
        if found == 0:
            break
        time.sleep(1)
    return waited


def _look_back(tills: Sequence[Till], wishes: Sequence[Wish]) -> dict[str, Answer]:
    """What the hub says of each wish in the end, to the till that wished it."""
    looks: dict[str, Answer] = {}
    for wish in wishes:
        for _ in range(_LOOKS):
            looks[wish.key] = tills[wish.till].look(wish)
            if not looks[wish.key].is_unclear:
                break
    return looks
