"""Filling the simulator from JSON: sales units, partners and payments, from a file or through the control API."""

from __future__ import annotations

from typing import Any

from stores.vipps.simulator.books import SeededPayment
from stores.vipps.simulator.clock import parse_iso
from stores.vipps.simulator.merchants import Keys
from stores.vipps.simulator.simulator import Simulator

_FLAGS = frozenset({"allows_refunds", "allows_partial_capture", "allows_skip_landing_page", "captures_directly", "is_active"})
_TEXTS = frozenset({"business", "ledger"})


class BadSeed(ValueError):
    """What was given does not describe a merchant or payment; the message says where."""


def put_merchants(simulator: Simulator, told: dict[str, Any]) -> dict[str, Any]:
    """Adds or replaces `sales_units`, `partners` and `accountants`, and returns them with their keys.

    One that comes without keys keeps those it has, or gets new ones.
    """
    units, partners = [], []
    known = simulator.merchants
    for entry in _entries(told, "sales_units"):
        msn = _text(entry, "msn")
        before = known.units.get(msn)
        keys = simulator.add_sales_unit(
            msn,
            entry.get("currency", "NOK"),
            name=entry.get("name"),
            keys=_keys(entry, f"unit-{msn}") or (before.keys if before else None),
            **_options(entry),
        )
        units.append({"msn": msn, "keys": keys_view(keys)})
    for entry in _entries(told, "partners"):
        name = _text(entry, "name")
        linked = known.partners.get(name)
        keys = simulator.add_partner(
            name,
            [str(msn) for msn in entry.get("msns", [])],
            keys=_keys(entry, f"partner-{name}") or (linked.keys if linked else None),
        )
        partners.append({"name": name, "keys": keys_view(keys)})
    return {"sales_units": units, "partners": partners, "accountants": _put_accountants(simulator, told)}


def _put_accountants(simulator: Simulator, told: dict[str, Any]) -> list[dict[str, Any]]:
    accountants = []
    for entry in _entries(told, "accountants"):
        name = _text(entry, "name")
        known = simulator.merchants.accountants.get(name)
        keys = simulator.add_accountant(
            name,
            [str(msn) for msn in entry.get("msns", [])],
            keys=_keys(entry, f"accountant-{name}") or (known.keys if known else None),
        )
        accountants.append({"name": name, "keys": keys_view(keys)})
    return accountants


def _options(entry: dict[str, Any]) -> dict[str, Any]:
    """What a sales unit may and may not, as far as it is told."""
    for name in _FLAGS & set(entry):
        if not isinstance(entry[name], bool):
            raise BadSeed(f"{name} is true or false")
    for name in _TEXTS & set(entry):
        _text(entry, name)
    return {name: entry[name] for name in (_FLAGS | _TEXTS) & set(entry)}


def add_payments(simulator: Simulator, told: dict[str, Any]) -> dict[str, Any]:
    """Adds `payments`; one that is already there stays as it is. All or, on a bad entry, none (BadSeed)."""
    payments = [_payment(simulator, entry) for entry in _entries(told, "payments")]
    added = simulator.add_payments(payments)
    return {"added": added, "existing": len(payments) - added}


def keys_view(keys: Keys) -> dict[str, Any]:
    return {
        "name": keys.name,
        "client_id": keys.client_id,
        "client_secret": keys.client_secret,
        "subscription_keys": list(keys.subscription_keys),
    }


def _payment(simulator: Simulator, entry: dict[str, Any]) -> SeededPayment:
    msn, reference = _text(entry, "msn"), _text(entry, "reference")
    unit = simulator.merchants.units.get(msn)
    if unit is None:
        raise BadSeed(f"payment {reference}: there is no sales unit {msn}")
    amount = _minor(entry, "amount_minor", None)
    captured = _minor(entry, "captured_minor", amount)
    refunded = _minor(entry, "refunded_minor", 0)
    if not 0 <= refunded <= captured <= amount:
        raise BadSeed(f"payment {reference}: refunded, captured and amount must rise in this order")
    try:
        paid_at = parse_iso(_text(entry, "paid_at")) if "paid_at" in entry else simulator.now.timestamp() - 86_400
    except ValueError:
        raise BadSeed(f"payment {reference}: paid_at is not a moment in ISO 8601") from None
    api = entry.get("api", "epayment")
    if api not in ("epayment", "ecom"):
        raise BadSeed(f"payment {reference}: api is epayment or ecom")
    return SeededPayment(
        msn=msn,
        reference=reference,
        amount_minor=amount,
        captured_minor=captured,
        refunded_minor=refunded,
        currency=entry.get("currency", unit.currency),
        paid_at=paid_at,
        metadata=entry.get("metadata") or {},
        api=api,
        is_direct=entry.get("is_direct", False) is True,
    )


def _entries(told: dict[str, Any], name: str) -> list[dict[str, Any]]:
    entries = told.get(name, [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise BadSeed(f"{name} is a list of objects")
    return entries


def _text(entry: dict[str, Any], name: str) -> str:
    value = entry.get(name)
    if not isinstance(value, str) or not value:
        raise BadSeed(f"{name} is missing or not a text")
    return value


def _minor(entry: dict[str, Any], name: str, default: int | None) -> int:
    value = entry.get(name, default)
    if type(value) is not int or value < 0:
        raise BadSeed(f"{name} is not an amount in minor units")
    return value


def _keys(entry: dict[str, Any], name: str) -> Keys | None:
    told = entry.get("keys")
    if told is None:
        return None
    if not isinstance(told, dict):
        raise BadSeed("keys is an object")
    subscription_keys = told.get("subscription_keys")
    if not isinstance(subscription_keys, list) or not subscription_keys:
        raise BadSeed("keys.subscription_keys is a list of one or two texts")
    return Keys(
        name=str(told.get("name") or name),
        client_id=_text(told, "client_id"),
        client_secret=_text(told, "client_secret"),
        subscription_keys=tuple(str(key) for key in subscription_keys),
    )
