"""Everything headquarters sees; importing it registers every page with the one site."""

from hq.admin import (
    clearing,
    companies,
    contradictions,
    holds,
    key_sets,
    look_ups,
    orders,
    people,
    refunds,
    roles,
    sales_units,
    store_systems,
    stores,
    trail,
    vipps_notices,
    webhooks,
)
from hq.admin.admin_site import site

__all__ = [
    "clearing",
    "companies",
    "contradictions",
    "holds",
    "key_sets",
    "look_ups",
    "orders",
    "people",
    "refunds",
    "roles",
    "sales_units",
    "site",
    "store_systems",
    "stores",
    "trail",
    "vipps_notices",
    "webhooks",
]
