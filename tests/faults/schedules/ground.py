"""The chain that schedules play in: made once for many of them, so that a schedule is a few orders and no more."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.apps import apps
from django.db import connection

from stores import actors, clock, credentials, keys, orders, people, registrations, registry
from stores.credentials import VippsKeys
from stores.models import (
    Channel,
    Company,
    Notice,
    Order,
    OrderLine,
    Role,
    SalesUnit,
    Scope,
    Store,
    StoreSystem,
    User,
    WebhookRegistration,
)
from stores.vipps.simulator import Keys, Simulator, Switches

BEGINS = datetime(2026, 11, 2, 8, tzinfo=UTC)
BY = actors.hub("simulation")
SECRET = "A0+AeKBRG2KRGvnNwJpQlb6IJFk48CKXCIcrLoHncVJKDILsQSxS6NWCccwWm6r6FhGKhiHTBsG2wo/xU6FY/A=="
_MSNS = {"OSL": "100001", "BGO": "100002", "TRD": "100003"}
_PARTNER = "partner-1"


@dataclass(frozen=True, kw_only=True)
class Ground:
    """Bergen sells with keys of its own, Trondheim with a partner's; Oslo and Bergen refund; Mona approves."""

    company: Company
    stores: dict[str, Store]
    units: dict[str, SalesUnit]
    systems: dict[str, StoreSystem]
    cashiers: dict[str, User]
    mona: User
    headquarters: tuple[User, User]
    keys: dict[str, Keys]
    registration: WebhookRegistration

    def vipps(self, *, switches: Switches, now: Callable[[], float]) -> Simulator:
        """A fresh Vipps MobilePay that knows this chain and none of its payments."""
        simulator = Simulator(seed=1, switches=switches, base=now)
        for code, msn in _MSNS.items():
            simulator.add_sales_unit(msn, keys=self.keys[code])
        simulator.add_partner(_PARTNER, [_MSNS["TRD"]], keys=self.keys[_PARTNER])
        return simulator

    def keys_of(self, code: str) -> Keys:
        """Whose keys a call for that store's unit must bear."""
        return self.keys[_PARTNER if code == "TRD" else code]

    def sold(self, code: str, reference: str, amount_minor: int) -> Order:
        """What that store's till syncs."""
        unit = self.units[code]
        paid_at = BEGINS - timedelta(days=1)
        row = orders.OrderRow(
            reference=reference, amount=orders.AmountRow(amount_minor=amount_minor, currency=unit.currency), paid_at=paid_at
        )
        [outcome] = orders.index_orders([row], system=self.systems[code], by=BY)
        if outcome.outcome != "created":
            raise RuntimeError(f"{reference}: {outcome}")
        return Order.objects.select_related("store", "sales_unit").get(sales_unit=unit, reference=reference)

    def reserved(self, code: str, reference: str, amount_minor: int) -> Order:
        """What that store's till syncs before it has taken the money, and Vipps was asked about."""
        order = self.sold(code, reference, amount_minor)
        Order.objects.filter(pk=order.pk).update(
            captured_minor=0, uncaptured_seen_minor=amount_minor, confirmed_at=BEGINS - timedelta(hours=1)
        )
        order.refresh_from_db()
        return order


def clear() -> None:
    """Empty every table of ours. Only for a database that was made for tests."""
    _execute_without_triggers(f"TRUNCATE {', '.join(_tables_of('stores') + _tables_of('refunds'))} CASCADE")


def clear_what_was_played() -> None:
    """The chain stays, and its trail: what one schedule left must not be found by the next."""
    tables = [*_tables_of("refunds"), *(model._meta.db_table for model in (OrderLine, Order, Notice))]
    _execute_without_triggers("; ".join(f"DELETE FROM {table}" for table in tables))  # noqa: S608  # our own tables


def _tables_of(label: str) -> list[str]:
    models = apps.get_app_config(label).get_models(include_auto_created=True)
    return [model._meta.db_table for model in models if not model._meta.proxy]


def _execute_without_triggers(sql: str) -> None:
    if not str(connection.settings_dict["NAME"]).startswith("test_"):
        raise RuntimeError("this would empty a database that is not a test's")
    with connection.cursor() as cursor:
        cursor.execute(f"SET session_replication_role = 'replica'; {sql}; SET session_replication_role = 'origin'")


def lay() -> Ground:
    """The chain on an empty database: always the same ids, so that a seed is always the same schedule."""
    dice = random.Random(0)
    with clock.bound(clock.Source(now=lambda: BEGINS - timedelta(days=2), token=dice.randbytes)):
        return _lay()


def _lay() -> Ground:
    company = Company.objects.create(name="Nordlys")
    opened = BEGINS - timedelta(days=800)
    vipps = Simulator(seed=1)
    stores, units, known = {}, {}, {}
    for code, city in (("OSL", "Oslo"), ("BGO", "Bergen"), ("TRD", "Trondheim")):
        stores[code] = registry.open_store(
            company, code=code, name=f"Nordlys {city}", city=city, country="NO", time_zone="Europe/Oslo", by=BY
        )
        units[code] = registry.add_sales_unit(
            stores[code],
            msn=_MSNS[code],
            name=city,
            market="NO",
            environment="simulator",
            channel=Channel.IN_STORE,
            valid_from=opened,
            by=BY,
        )
        known[code] = vipps.add_sales_unit(_MSNS[code])
    for code in ("OSL", "BGO"):
        registry.bind_own_keys(units[code], _opened(known[code]), by=BY)
    known[_PARTNER] = vipps.add_partner(_PARTNER, [_MSNS["TRD"]])
    partner = credentials.make_key_set(
        company, kind="partner", name="Partner", environment="simulator", subject=_PARTNER, by=BY
    )
    credentials.enter_keys(partner, _opened(known[_PARTNER]), by=BY)
    registry.bind_partner_keys(units["TRD"], partner, by=BY)
    for unit in units.values():
        unit.refresh_from_db()
    systems = {code: keys.add_system(store, name=f"Till {code}", scopes=list(Scope), by=BY) for code, store in stores.items()}
    cashiers = {code: User.objects.create(username=f"cashier-{code}", password="!") for code in stores}
    for code, cashier in cashiers.items():
        people.join_store(cashier, stores[code], role=Role.CASHIER, by=BY)
    mona = User.objects.create(username="mona", password="!")
    for store in stores.values():
        people.join_store(mona, store, role=Role.MANAGER, by=BY)
    hanne, hugo = (User.objects.create(username=name, password="!") for name in ("hanne", "hugo"))
    for person in (hanne, hugo):
        for role in (Role.OPERATOR, Role.APPROVER, Role.SECURITY, Role.FINANCE):
            people.join_headquarters(person, company, role=role, by=BY)
    registration = registrations.open_registration(units["BGO"], base_url="https://refunds.example", by=BY)
    registrations.confirm_registration(registration, provider_id="vipps-1", secret=SECRET, by=BY)
    return Ground(
        company=company,
        stores=stores,
        units=units,
        systems=systems,
        cashiers=cashiers,
        mona=mona,
        headquarters=(hanne, hugo),
        keys=known,
        registration=registration,
    )


def _opened(known: Keys) -> VippsKeys:
    return VippsKeys(
        client_id=known.client_id, client_secret=known.client_secret, subscription_key=known.subscription_key
    )
