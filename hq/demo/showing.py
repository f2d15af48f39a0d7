"""The demo from start to end: processes, chain, orders, tour, and where to look afterwards."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hq.demo.cast import FINN, HANNE, PASSWORD, PEOPLE, PIN, PLACES
from hq.demo.chain import build_chain
from hq.demo.database import Standing, migrate, put_embedded_aside, standing
from hq.demo.environments import Environments
from hq.demo.errors import DemoFailed
from hq.demo.fleet import Fleet
from hq.demo.limits import ABOVE_MINOR, set_limits
from hq.demo.ports import free_port
from hq.demo.provider import Provider
from hq.demo.report import Report, report_on
from hq.demo.supervisor import Supervisor
from hq.demo.syncing import sync_sales
from hq.demo.tour import lead_tour
from stores.actors import hub

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What was asked for on the command line."""

    port: int
    simulator_port: int
    stores: int
    orders: int


def show(wishes: Wishes, *, supervisor: Supervisor, environments: Environments, base: Path, say: Say) -> tuple[Report, Fleet]:
    """Bring everything up, fill it where it is empty, and lead the tour. Raises DemoFailed, StartFailed."""
    fleet = Fleet(
        environments=environments,
        var=environments.var,
        web_port=free_port(wishes.port, say=say),
        simulator_port=free_port(wishes.simulator_port, say=say),
    )
    if not environments.has_database:
        say("Starting PostgreSQL.")
        supervisor.start(fleet.database())
    _make_room(fleet, environments, base, say)
    say("Bringing the database up to date.")
    migrate()
    say("Starting the Vipps MobilePay simulator, web, worker, sweep and beat.")
    supervisor.start(fleet.simulator(), *fleet.hub())
    supervisor.announce(f"desk at {fleet.hub_url}/desk/")
    provider, by = Provider(fleet.simulator_url), hub("demo")
    sellers = build_chain(PLACES[: wishes.stores], provider=provider, by=by)
    set_limits(author=HANNE.username, other=FINN.username)
    added = sync_sales(sellers, orders=wishes.orders, hub_url=fleet.hub_url, provider=provider, by=by)
    kept = "" if added else " The chain is here from an earlier run."
    say(f"{len(sellers)} stores are open, {added:,} orders were added.{kept}")
    stops = lead_tour(sellers, hub_url=fleet.hub_url, provider=provider, say=say)
    return report_on(stops, orders_wanted=wishes.orders, provider=provider), fleet


def _make_room(fleet: Fleet, environments: Environments, base: Path, say: Say) -> None:
    """Let the demo only into a database that is empty or its own."""
    found = standing(simulator_state=fleet.simulator_state)
    if found is Standing.FOREIGN:
        raise DemoFailed("The database holds another chain, which the demo does not touch: set DATABASE_URL to an empty one.")
    if found is Standing.LEFT_BEHIND:
        if environments.has_database:
            raise DemoFailed(
                "The database holds a demo whose keys or payments are not in "
                f"{environments.var}: bring that folder back, or set DATABASE_URL to an empty database."
            )
        name = put_embedded_aside(base, environments.var)
        say(f"The database is of an earlier demo whose keys or payments are gone; it was put aside as {name}.")
        found = Standing.EMPTY
    if found is Standing.EMPTY and fleet.simulator_state.exists():
        # payments of a database that is gone would look like refunds made behind the hub's back
        fleet.simulator_state.replace(fleet.simulator_state.with_suffix(".old"))


def told(report: Report) -> str:
    """The outcome in two sentences."""
    same = "the same" if report.provider_refunded_minor == report.hub_refunded_minor else "NOT the same"
    trail = "holds" if report.audit_ok else "does NOT hold"
    return (
        f"\n{'The tour held' if report.held else 'The tour did NOT hold'}: {report.orders_indexed:,} orders, "
        f"{same} sum refunded in the hub's books and the provider's, and the trail of {report.audit_entries} entries {trail}."
    )


def where_to_look(fleet: Fleet) -> str:
    """Addresses and names, for whoever stays."""
    people = "\n".join(
        f"  {person.username:<8} {', '.join(str(role.label) for role in person.roles) or 'no role: may see nothing'}"
        + (f" in {next(place.city for place in PLACES if place.code == person.store)}" if person.store else "")
        for person in PEOPLE
    )
    return (
        f"\nDesk          {fleet.hub_url}/desk/\n"
        f"Headquarters  {fleet.hub_url}/hq/\n"
        f"REST          {fleet.hub_url}/api/docs/\n"
        f"Simulator     {fleet.simulator_url}/_simulator/\n"
        f"Logs          {fleet.var / 'log'}\n\n"
        f"Sign in with the password {PASSWORD} as\n{people}\n\n"
        f"Refunds above NOK {ABOVE_MINOR['NOK'] // 100:,} need a manager: Mona's PIN, and Kari's, is {PIN}.\n\n"
        "Ctrl-C ends it all; start again to go on from here."
    )
