"""What a receipt has to look like: order lines and a bottom line.

Source: Vipps Order Management API, POST /v2/{paymentType}/receipts/{orderId}. Amounts are in minor units.
"""

from __future__ import annotations

import re
from typing import Any

from stores.vipps.simulator.forms import BadForm, read_object, read_text, refuse_unknown

_LINE_SUMS = ("totalAmount", "totalAmountExcludingTax", "totalTaxAmount")
_LINE = frozenset(
    {"name", "id", *_LINE_SUMS, "taxPercentage", "taxRate", "unitInfo", "discount", "productUrl", "isReturn", "isShipping"}
)
_BOTTOM = frozenset(
    {
        "currency",
        "tipAmount",
        "giftCardAmount",
        "posId",
        "totalAmount",
        "totalTax",
        "totalDiscount",
        "shippingAmount",
        "shippingInfo",
        "paymentSources",
        "barcode",
        "receiptNumber",
        "terminalId",
    }
)
_UNITS = ("PCS", "KG", "KM", "MINUTE", "LITRE", "KWH")
_QUANTITY = re.compile(r"[0-9]+(\.[0-9]{1,8})?", re.ASCII)


def check_receipt(receipt: object) -> dict[str, Any]:
    """Raises BadForm."""
    if not isinstance(receipt, dict):
        raise BadForm("receipt", "The value is not an object.")
    refuse_unknown(receipt, frozenset({"orderLines", "bottomLine"}))
    lines = receipt.get("orderLines")
    if not isinstance(lines, list) or not lines:
        raise BadForm("orderLines", "At least one line is required.")
    for number, line in enumerate(lines):
        _check_line(line, prefix=f"orderLines[{number}].")
    bottom = read_object(receipt, "bottomLine", _BOTTOM)
    if bottom.get("currency") not in ("NOK", "DKK", "EUR"):
        raise BadForm("bottomLine.currency", "The value must be one of NOK, DKK, EUR.")
    return receipt


def _check_line(line: object, *, prefix: str) -> None:
    if not isinstance(line, dict):
        raise BadForm(prefix.rstrip("."), "The value is not an object.")
    refuse_unknown(line, _LINE, prefix=prefix)
    read_text(line, "name", prefix=prefix, longest=2048)
    read_text(line, "id", prefix=prefix)
    for name in _LINE_SUMS:
        if type(line.get(name)) is not int:
            raise BadForm(f"{prefix}{name}", "The field is required and must be an integer.")
    _check_range(line, "taxRate", 10_000, prefix=prefix)
    _check_range(line, "taxPercentage", 100, prefix=prefix)
    if line.get("unitInfo") is not None:
        unit = read_object(line, "unitInfo", frozenset({"unitPrice", "quantity", "quantityUnit"}), prefix=prefix)
        quantity = unit.get("quantity")
        if not isinstance(quantity, str) or len(quantity) > 10 or not _QUANTITY.fullmatch(quantity):
            raise BadForm(f"{prefix}unitInfo.quantity", "The value must be a number written as a text.")
        if unit.get("quantityUnit", "PCS") not in _UNITS:
            raise BadForm(f"{prefix}unitInfo.quantityUnit", f"The value must be one of {', '.join(_UNITS)}.")


def _check_range(line: dict[str, Any], name: str, most: int, *, prefix: str) -> None:
    value = line.get(name)
    if value is not None and (type(value) is not int or not 0 <= value <= most):
        raise BadForm(f"{prefix}{name}", f"The value must be an integer from 0 to {most}.")
