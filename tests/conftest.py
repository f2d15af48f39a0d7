"""The fixed cast: Bergen sold it, Oslo refunds it, Kari is cashier and Mona manager in Oslo, Hanne is HQ, Per sees nothing."""

import copy
import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.test import TransactionTestCase, override_settings
from django.utils import translation

from stores import actors, clock, credentials, keys, orders, people, registry, sessions
from stores.actors import Actor
from stores.credentials import VippsKeys
from stores.models import Channel, Company, Order, Role, SalesUnit, Scope, Store, StoreSystem, User
from stores.vipps.simulator import Keys, Simulator
from stores.vipps.simulator.merchants import Partner
from stores.vipps.simulator.merchants import SalesUnit as SalesUnitAtVipps
from stores.vipps.wsgi_transport import WsgiTransport
from tests.remembering import Rows, delete_everything

PASSWORD = "a long enough pass phrase"
_LONG = re.compile(r"tests/(bench|browser|faults)/|tests/hq/test_(demo|embedded|supervisor)\.py|tests/refunds/test_machine_")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take their time come first: at the end no process waits long for another."""
    items.sort(key=lambda item: _LONG.search(item.nodeid) is None)


@pytest.fixture(autouse=True, scope="session")
def _tables_are_emptied_by_deleting() -> None:
    """After a test that committed. TransactionTestCase would truncate seventy tables and make the permissions anew, which takes
    a hundred times as long, and which the append-only triggers refuse."""
    case: Any = TransactionTestCase  # the hook is private, so its stub does not know it
    case._fixture_teardown = lambda _case: delete_everything()


@pytest.fixture(autouse=True, scope="session")
def _static_files_are_looked_for_when_asked_for() -> None:
    """Otherwise each test's own client lists them all before its first request, which takes longer than the request."""
    settings.WHITENOISE_AUTOREFRESH = True


@pytest.fixture(autouse=True)
def _cache_of_its_own() -> Iterator[None]:
    """What an earlier test, or one beside it, was counted for is nothing to the next: their rows have the same keys."""
    caches = {name: {**cache, "KEY_PREFIX": secrets.token_hex(4)} for name, cache in settings.CACHES.items()}
    with override_settings(CACHES=caches):
        yield


@pytest.fixture(autouse=True)
def _language_ends_with_its_test() -> Iterator[None]:
    """A request in Norwegian leaves its thread speaking Norwegian; the next test starts in the default language."""
    yield
    translation.deactivate()


@dataclass(frozen=True, kw_only=True)
class Chain:
    """The chain every test starts from. Bergen and Oslo have keys of their own (B), Trondheim sells through partner
    keys (A), Bodø and Hamar share one unit by prefix (C)."""

    company: Company
    simulator: Simulator
    oslo: Store
    bergen: Store
    trondheim: Store
    bodo: Store
    hamar: Store
    kari: User
    mona: User
    hanne: User
    per: User
    units: dict[str, SalesUnit]
    systems: dict[str, StoreSystem]
    by: Actor

    def sold(
        self, store: Store, reference: str, amount_minor: int, *, captured: bool = True, days_ago: float = 1
    ) -> Order:
        """An order that `store` sold: paid at the simulator and synced as its till would."""
        unit = self.units[store.code]
        paid_at = datetime.now(UTC) - timedelta(days=days_ago)
        self.simulator.add_payment(
            unit.msn,
            reference,
            amount_minor=amount_minor,
            captured_minor=amount_minor if captured else 0,
            paid_at=paid_at,
        )
        [outcome] = orders.index_orders(
            [
                orders.OrderRow(
                    reference=reference,
                    amount=orders.AmountRow(amount_minor=amount_minor, currency=unit.currency),
                    paid_at=paid_at,
                )
            ],
            system=self.systems[store.code],
            by=self.by,
        )
        assert outcome.outcome == "created", outcome
        return Order.objects.get(sales_unit=unit, reference=reference)


def _opened(keys: Keys) -> VippsKeys:
    return VippsKeys(
        client_id=keys.client_id, client_secret=keys.client_secret, subscription_key=keys.subscription_key
    )


@cache
def _hashed() -> str:
    """One hash for the whole cast: Argon2 is slow on purpose, and every test makes the cast anew."""
    return make_password(PASSWORD)


def _user(username: str, name: str) -> User:
    return User.objects.create(username=username, first_name=name, password=_hashed())


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """A fresh Vipps MobilePay behind every session of the test, in this process."""
    simulator = Simulator(seed=1)
    sessions.forget_all()
    with sessions.use_transport(WsgiTransport(simulator.wsgi)):
        yield simulator
    sessions.forget_all()


@dataclass(frozen=True, kw_only=True)
class _Laid:
    """The cast as it was laid, and what of it stands in the database and at Vipps."""

    at: float
    chain: Chain
    rows: Rows
    units: tuple[SalesUnitAtVipps, ...]
    partners: tuple[Partner, ...]

    @property
    def is_fresh(self) -> bool:
        """The times in its rows are those of its making."""
        return time.monotonic() < self.at + 60

    def again(self, simulator: Simulator) -> Chain:
        """The same rows, before this Vipps; nothing that one test does to its cast is seen by another."""
        self.rows.write()
        for unit in self.units:
            simulator.add_sales_unit(unit.msn, unit.currency, keys=unit.keys)
        for partner in self.partners:
            simulator.add_partner(partner.name, partner.msns, keys=partner.keys)
        return replace(_copied(self.chain), simulator=simulator)


def _copied(chain: Chain) -> Chain:
    """Other objects that say the same, before the same Vipps."""
    return copy.deepcopy(chain, {id(chain.simulator): chain.simulator})


_laid: _Laid | None = None


@pytest.fixture
def chain(db: None, simulator: Simulator) -> Chain:
    """The cast, on the database of the test: laid by the hub's own verbs once a minute, and else as they laid it."""
    global _laid
    if clock.bound_now() is not None or Company.objects.exists() or User.objects.exists():
        return _lay(simulator)  # in a time of the test's own, or beside rows of another fixture's
    if _laid is not None and _laid.is_fresh:
        return _laid.again(simulator)
    chain, merchants = _lay(simulator), simulator.merchants
    _laid = _Laid(
        at=time.monotonic(),
        chain=_copied(chain),
        rows=Rows.there(),
        units=tuple(merchants.units.values()),
        partners=tuple(merchants.partners.values()),
    )
    return chain


def _lay(simulator: Simulator) -> Chain:
    by = actors.hub("test")
    company = Company.objects.create(name="Nordlys")
    opened = datetime.now(UTC) - timedelta(days=800)
    places = {
        "OSL": ("Oslo", "NO"),
        "BGO": ("Bergen", "NO"),
        "TRD": ("Trondheim", "NO"),
        "BOO": ("Bodø", "NO"),
        "HAM": ("Hamar", "NO"),
    }
    stores = {
        code: registry.open_store(
            company, code=code, name=f"Nordlys {city}", city=city, country=country, time_zone="Europe/Oslo", by=by
        )
        for code, (city, country) in places.items()
    }
    units: dict[str, SalesUnit] = {}
    for code, msn in (("OSL", "100001"), ("BGO", "100002"), ("TRD", "100003"), ("BOO", "100004")):
        units[code] = registry.add_sales_unit(
            stores[code],
            msn=msn,
            name=places[code][0],
            market="NO",
            environment="simulator",
            prefix="BOO-" if code == "BOO" else "",
            channel=Channel.IN_STORE,
            valid_from=opened,
            by=by,
        )
    registry.share_sales_unit(
        stores["HAM"], units["BOO"], prefix="HAM-", channel=Channel.IN_STORE, valid_from=opened, by=by
    )
    units["HAM"] = units["BOO"]
    for code in ("OSL", "BGO", "BOO"):
        registry.bind_own_keys(units[code], _opened(simulator.add_sales_unit(units[code].msn)), by=by)
    simulator.add_sales_unit(units["TRD"].msn)
    partner_keys = _opened(simulator.add_partner("partner-1", [units["TRD"].msn]))
    partner = credentials.make_key_set(
        company, kind="partner", name="Partner", environment="simulator", subject="partner-1", by=by
    )
    credentials.enter_keys(partner, partner_keys, by=by)
    registry.bind_partner_keys(units["TRD"], partner, by=by)
    for unit in units.values():
        unit.refresh_from_db()
    systems = {
        code: keys.add_system(store, name=f"Till {code}", scopes=list(Scope), by=by) for code, store in stores.items()
    }
    kari, mona, hanne, per = _user("kari", "Kari"), _user("mona", "Mona"), _user("hanne", "Hanne"), _user("per", "Per")
    people.join_store(kari, stores["OSL"], role=Role.CASHIER, by=by)
    people.join_store(mona, stores["OSL"], role=Role.MANAGER, by=by)
    for role in (Role.OPERATOR, Role.APPROVER, Role.SECURITY):
        people.join_headquarters(hanne, company, role=role, by=by)
    return Chain(
        company=company,
        simulator=simulator,
        oslo=stores["OSL"],
        bergen=stores["BGO"],
        trondheim=stores["TRD"],
        bodo=stores["BOO"],
        hamar=stores["HAM"],
        kari=kari,
        mona=mona,
        hanne=hanne,
        per=per,
        units=units,
        systems=systems,
        by=by,
    )
