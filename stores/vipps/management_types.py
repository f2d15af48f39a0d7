"""What the Management API speaks of: merchants, sales units and orders for new ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class BusinessId:
    """A merchant: `scheme` is business:NO:ORG, business:DK:CVR or business:FI:Y-tunnus."""

    scheme: str
    id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SalesUnitName:
    """A unit as lists show it."""

    msn: str
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SalesUnit:
    """A unit in detail. `configuration` holds paymentAllowed, captureType, skipLandingPageAllowed, ... as Vipps names
    them; a member that is absent does not mean false."""

    msn: str
    name: str
    configuration: Mapping[str, object]
    trace_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PricePackage:
    """A price that a partner may offer."""

    package_id: str
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ProductOrder:
    """A wish for a new unit. For a till: `use_case` Unknown, and `purpose` says that it must skip the landing page."""

    business: BusinessId
    product_type: str = "PAYMENT_INTEGRATION"
    sales_unit_name: str | None = None
    use_case: str | None = None
    purpose: str | None = None
    price_package_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PlacedOrder:
    """A prefilled order, and where the merchant signs it."""

    order_id: str
    url: str
    trace_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ProductOrderStatus:
    """RECEIVED, MERCHANT_VIEWED, ORDER_SUBMITTED, COMPLETED (then with an MSN), REJECTED, EXPIRED, or one that is new."""

    order_id: str
    status: str
    msn: str | None
