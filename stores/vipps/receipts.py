"""What was bought, line by line: the shape that ePayment's create and Order Management share.

Source: Vipps Order Management API, OpenAPI description. Vipps computes the total from the lines; lines of returned
goods count negative.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from stores.vipps.reading import Unreadable, read_object, read_text

_QUANTITY = re.compile(r"\d+(\.\d{1,8})?", re.ASCII)
_CURRENCIES = ("NOK", "DKK", "EUR")
_LARGEST = 2**53


@dataclass(frozen=True, kw_only=True, slots=True)
class Unit:
    """How much of it: `quantity` as a text such as 0.822, `price` of one unit in minor units."""

    price: int
    quantity: str
    kind: str = "PCS"


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderLine:
    """One line; amounts in minor units, `tax_rate` in hundredths of a percent."""

    name: str
    id: str
    total: int
    total_without_tax: int
    tax: int
    tax_rate: int | None = None
    unit: Unit | None = None
    discount: int | None = None
    product_url: str | None = None
    is_return: bool = False
    is_shipping: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """All lines, and what stands below them."""

    lines: tuple[OrderLine, ...]
    currency: str
    receipt_number: str | None = None
    pos_id: str | None = None
    tip: int | None = None

    def __post_init__(self) -> None:
        if not self.lines or self.currency not in _CURRENCIES:
            raise ValueError("a receipt has at least one line, in NOK, DKK or EUR")
        units = [line.unit for line in self.lines if line.unit is not None]
        if any(len(unit.quantity) > 10 or not _QUANTITY.fullmatch(unit.quantity) for unit in units):
            raise ValueError("a quantity is a number with at most 8 decimals, as a text of at most 10 characters")


def receipt_body(receipt: Receipt) -> dict[str, Any]:
    """As Vipps takes it; what is not given is left out."""
    bottom = {
        "currency": receipt.currency,
        "receiptNumber": receipt.receipt_number,
        "posId": receipt.pos_id,
        "tipAmount": receipt.tip,
    }
    return {"orderLines": [_line_body(line) for line in receipt.lines], "bottomLine": _given(bottom)}


def read_receipt(value: object) -> Receipt:
    """Raises Unreadable."""
    members = read_object(value)
    lines = members.get("orderLines")
    if not isinstance(lines, list):
        raise Unreadable("orderLines is not a list")
    bottom = read_object(members.get("bottomLine"))
    try:
        return Receipt(
            lines=tuple(_read_line(read_object(line)) for line in lines),
            currency=read_text(bottom, "currency"),
            receipt_number=_maybe_text(bottom, "receiptNumber"),
            pos_id=_maybe_text(bottom, "posId"),
            tip=_maybe_minor(bottom, "tipAmount"),
        )
    except Unreadable:
        raise
    except ValueError:
        raise Unreadable("not a receipt") from None


def _line_body(line: OrderLine) -> dict[str, Any]:
    unit = line.unit
    return _given(
        {
            "name": line.name,
            "id": line.id,
            "totalAmount": line.total,
            "totalAmountExcludingTax": line.total_without_tax,
            "totalTaxAmount": line.tax,
            "taxRate": line.tax_rate,
            "unitInfo": unit and {"unitPrice": unit.price, "quantity": unit.quantity, "quantityUnit": unit.kind},
            "discount": line.discount,
            "productUrl": line.product_url,
            "isReturn": line.is_return or None,
            "isShipping": line.is_shipping or None,
        }
    )


def _read_line(members: dict[str, Any]) -> OrderLine:
    unit = members.get("unitInfo")
    percentage = _maybe_minor(members, "taxPercentage")
    rate = _maybe_minor(members, "taxRate")
    return OrderLine(
        name=read_text(members, "name"),
        id=read_text(members, "id"),
        total=_minor(members, "totalAmount"),
        total_without_tax=_minor(members, "totalAmountExcludingTax"),
        tax=_minor(members, "totalTaxAmount"),
        # The older member counts in whole percent.
        tax_rate=percentage * 100 if rate is None and percentage is not None else rate,
        unit=None if unit is None else _read_unit(read_object(unit)),
        discount=_maybe_minor(members, "discount"),
        product_url=_maybe_text(members, "productUrl"),
        is_return=members.get("isReturn") is True,
        is_shipping=members.get("isShipping") is True,
    )


def _read_unit(members: dict[str, Any]) -> Unit:
    return Unit(
        price=_maybe_minor(members, "unitPrice") or 0,
        quantity=read_text(members, "quantity"),
        kind=_maybe_text(members, "quantityUnit") or "PCS",
    )


def _given(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _minor(members: dict[str, Any], name: str) -> int:
    value = members.get(name)
    if type(value) is not int or not -_LARGEST <= value <= _LARGEST:
        raise Unreadable(f"{name} is not an amount in minor units")
    return value


def _maybe_minor(members: dict[str, Any], name: str) -> int | None:
    return None if members.get(name) is None else _minor(members, name)


def _maybe_text(members: dict[str, Any], name: str) -> str | None:
    value = members.get(name)
    return None if value is None or value == "" else read_text(members, name)
