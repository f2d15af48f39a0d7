"""Reading what a caller sent: form only. Unknown members are refused, as Vipps does."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from stores.vipps.simulator.forms import BadForm, refuse_unknown
from stores.vipps.simulator.receipts import check_receipt

_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_LARGEST_VALUE = 65_000_000
_CREATE_MEMBERS = frozenset(
    {
        "amount",
        "customer",
        "customerInteraction",
        "expiresAt",
        "industryData",
        "merchantLegalLinks",
        "metadata",
        "minimumUserAge",
        "paymentDescription",
        "paymentMethod",
        "profile",
        "qrFormat",
        "receipt",
        "receiptUrl",
        "reference",
        "returnUrl",
        "shipping",
        "userFlow",
        "cardPassthrough",
    }
)
_FLOWS = ("WEB_REDIRECT", "QR", "PUSH_MESSAGE", "NATIVE_REDIRECT")


@dataclass(frozen=True, kw_only=True, slots=True)
class AskedAmount:
    value: int
    currency: str


def read_modification(members: dict[str, Any]) -> AskedAmount:
    refuse_unknown(members, frozenset({"modificationAmount"}))
    return read_asked(members.get("modificationAmount"), "modificationAmount")


def read_cancel(members: dict[str, Any]) -> bool:
    """Whether only an unauthorized payment is to be cancelled."""
    refuse_unknown(members, frozenset({"cancelTransactionOnly"}))
    only = members.get("cancelTransactionOnly", False)
    if not isinstance(only, bool):
        raise BadForm("cancelTransactionOnly", "The value is not a boolean.")
    return only


def read_create(members: dict[str, Any], *, currency: str) -> AskedAmount:
    """Form and the rules that need no ledger; `currency` is the sales unit's."""
    refuse_unknown(members, _CREATE_MEMBERS)
    asked = read_asked(members.get("amount"), "amount")
    reference = members.get("reference")
    if not isinstance(reference, str) or not re.fullmatch(r"[a-zA-Z0-9-]{8,64}", reference):
        raise BadForm("reference", "The value does not match ^[a-zA-Z0-9-]{8,64}$.")
    method = members.get("paymentMethod")
    if not isinstance(method, dict) or method.get("type") not in ("WALLET", "CARD"):
        raise BadForm("paymentMethod", "The type must be WALLET or CARD.")
    flow = members.get("userFlow")
    if flow not in _FLOWS:
        raise BadForm("userFlow", f"The value must be one of {', '.join(_FLOWS)}.")
    if (flow == "WEB_REDIRECT" and not members.get("returnUrl")) or (flow == "PUSH_MESSAGE" and not members.get("customer")):
        raise BadForm("userFlow", "A parameter of this flow is missing.", code="4140")
    if asked.currency != currency:
        raise BadForm("amount", "The currency is not the merchant's.", code="5040")
    if asked.value < 100:
        raise BadForm("amount", "The amount is below the minimum.", code="6010")
    _check_metadata(members.get("metadata", {}))
    if members.get("receipt") is not None:
        check_receipt(members["receipt"])
    return asked


def read_asked(value: object, name: str) -> AskedAmount:
    if not isinstance(value, dict):
        raise BadForm(name, "The field is required.")
    refuse_unknown(value, frozenset({"currency", "value"}), prefix=f"{name}.")
    number, currency = value.get("value"), value.get("currency")
    if isinstance(number, float):
        raise BadForm(f"{name}.value", "The amount is not an integer.", code="4040")
    if type(number) is not int or not 0 <= number <= _LARGEST_VALUE:
        raise BadForm(f"{name}.value", "The value must be an integer from 0 to 65000000.")
    if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
        raise BadForm(f"{name}.currency", "The value is not a currency.")
    return AskedAmount(value=number, currency=currency)


def _check_metadata(metadata: object) -> None:
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise BadForm("metadata", "The value is not an object of texts.")
    if len(metadata) > 5:
        raise BadForm("metadata", "There are too many entries.", code="4100")
    if any(len(key) > 100 for key in metadata):
        raise BadForm("metadata", "A key is too long.", code="4110")
    if any(len(value) > 500 for value in metadata.values()):
        raise BadForm("metadata", "A value is too long.", code="4120")
