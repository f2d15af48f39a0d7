"""Who may call: sales units with keys of their own, partners whose keys act for many units, and accountants who read reports.

Source: Vipps knowledge base, API keys; Vipps partner documentation, partner keys.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum


@dataclass(frozen=True, kw_only=True, slots=True)
class Keys:
    """A key set as the business portal shows it; two subscription keys of equal worth."""

    name: str
    client_id: str
    client_secret: str = field(repr=False)
    subscription_keys: tuple[str, ...] = field(repr=False)

    @property
    def subscription_key(self) -> str:
        return self.subscription_keys[0]


@dataclass(frozen=True, kw_only=True, slots=True)
class SalesUnit:
    msn: str
    currency: str
    name: str
    keys: Keys
    allows_refunds: bool = True
    allows_partial_capture: bool = True
    allows_skip_landing_page: bool = True
    captures_directly: bool = False
    is_active: bool = True
    # The organisation that owns it.
    business: str = "987654321"
    # Units with the same ledger are settled together; empty: one of its own.
    ledger: str = ""

    @property
    def ledger_id(self) -> str:
        return self.ledger or f"3{self.msn}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Partner:
    name: str
    keys: Keys
    msns: frozenset[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Accountant:
    """Accounting keys: they read the reports of the units whose owner has consented, and nothing else."""

    name: str
    keys: Keys
    msns: frozenset[str]


class HolderKind(StrEnum):
    UNIT = "unit"
    PARTNER = "partner"
    ACCOUNTANT = "accountant"


@dataclass(frozen=True, kw_only=True, slots=True)
class Holder:
    """Whose keys they are: a sales unit's (one MSN), a partner's or an accountant's (those linked to it)."""

    keys: Keys
    msns: frozenset[str]
    kind: HolderKind
    name: str

    @property
    def is_partner(self) -> bool:
        return self.kind is HolderKind.PARTNER


class Merchants:
    """The register of sales units and partners. Putting an entry again replaces it: its old keys stop at once."""

    def __init__(self, *, seed: int) -> None:
        self._seed = seed
        self._made = 0
        self.units: dict[str, SalesUnit] = {}
        self.partners: dict[str, Partner] = {}
        self.accountants: dict[str, Accountant] = {}
        self._by_client: dict[str, Holder] = {}
        self._known_subscriptions: set[str] = set()

    def put_unit(self, unit: SalesUnit) -> None:
        self.units[unit.msn] = unit
        self._index()

    def put_partner(self, partner: Partner) -> None:
        """Takes the units over from any other partner: an MSN is linked to one partner at a time."""
        for other in list(self.partners.values()):
            if other.name != partner.name and other.msns & partner.msns:
                self.partners[other.name] = replace(other, msns=other.msns - partner.msns)
        self.partners[partner.name] = partner
        self._index()

    def put_accountant(self, accountant: Accountant) -> None:
        self.accountants[accountant.name] = accountant
        self._index()

    def active_units(self, msns: frozenset[str]) -> list[SalesUnit]:
        """In the order of their numbers."""
        found = [self.units[msn] for msn in sorted(msns) if msn in self.units]
        return [unit for unit in found if unit.is_active]

    def holder(self, client_id: str) -> Holder | None:
        return self._by_client.get(client_id)

    def knows_subscription(self, subscription_key: str) -> bool:
        return subscription_key in self._known_subscriptions

    def make_keys(self, name: str) -> Keys:
        """New keys, the same for the same seed and order of making."""
        self._made += 1
        source = hashlib.sha256(f"{self._seed}/{name}/{self._made}".encode()).digest()
        more = hashlib.sha256(source).hexdigest()
        return Keys(
            name=name,
            client_id=str(uuid.UUID(bytes=source[:16], version=4)),
            client_secret=f"sim-{source[16:].hex()}",
            subscription_keys=(more[:32], more[32:]),
        )

    def _index(self) -> None:
        holders = [
            *(_holder(unit.keys, {unit.msn}, HolderKind.UNIT, unit.msn) for unit in self.units.values()),
            *(_holder(each.keys, each.msns, HolderKind.PARTNER, each.name) for each in self.partners.values()),
            *(_holder(each.keys, each.msns, HolderKind.ACCOUNTANT, each.name) for each in self.accountants.values()),
        ]
        self._by_client = {holder.keys.client_id: holder for holder in holders}
        self._known_subscriptions = {key for holder in holders for key in holder.keys.subscription_keys}


def _holder(keys: Keys, msns: Iterable[str], kind: HolderKind, name: str) -> Holder:
    return Holder(keys=keys, msns=frozenset(msns), kind=kind, name=name)
