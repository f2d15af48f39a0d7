"""A chain of many stores with two years of orders, made by PostgreSQL itself: the same for the same number of rows.

Stores differ in size (of two thousand the largest sells 2 % of everything), and in how their tills write references:
`S0012-20260314-00417`, sixteen random characters, or a running number.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from stores.models import Company, Environment, SalesUnit, Store

DAYS = 730
_PER_STATEMENT = 500_000

# `share` turns a number of the row into a fraction, another one for each seed. Squared, it makes few stores sell much.
_MAKE_ORDERS = """
INSERT INTO stores_order (public_id, sales_unit_id, store_id, reference, ref_key, channel, currency, claimed_minor,
                          captured_minor, paid_at, receipt_number, indexed_at, updated_at)
SELECT gen_random_uuid(), %(unit)s + k, %(store)s + k, reference, upper(replace(reference, '-', '')),
       CASE k %% 3 WHEN 1 THEN 'online' ELSE 'in_store' END, 'NOK', CASE WHEN chance < 0.98 THEN amount END,
       CASE WHEN chance > 0.30 THEN amount END, at,
       CASE k %% 3 WHEN 0 THEN (n %% 10000)::text WHEN 2 THEN 'K' || k %% 20 || '-' || n %% 100000 ELSE '' END, at, at
FROM (
    SELECT n, k, at, chance, 900 + 100 * floor(exp(8 * size))::bigint AS amount,
           CASE k %% 3 WHEN 0 THEN 'S' || lpad(k::text, 4, '0') || to_char(at AT TIME ZONE 'Europe/Oslo', '-YYYYMMDD-')
                               || lpad((n %% 100000)::text, 5, '0')
                      WHEN 1 THEN upper(substr(md5(n::text), 1, 16))
                      ELSE 'order-' || 100000000 + n END AS reference
    FROM (
        SELECT n, floor(%(stores)s * power(share(n, 1), 2))::int AS k, share(n, 2) AS size, share(n, 3) AS chance,
               %(start)s::timestamptz + floor(%(days)s * n::float8 / %(rows)s) * interval '1 day'
               + interval '7 hours' + share(n, 4) * interval '13 hours' AS at
        FROM generate_series(%(first)s, %(last)s) AS n
    ) AS drawn
) AS made
"""
_SHARE = """
CREATE OR REPLACE FUNCTION share(n bigint, seed bigint) RETURNS float8 LANGUAGE sql IMMUTABLE
AS 'SELECT (hashint8extended(n, seed) & 2147483647)::float8 / 2147483648'
"""


def make_orders(company: Company, rows: int, *, stores: int = 2_000, say: Callable[[str], object] = str) -> None:
    """`stores` stores with a sales unit each, and `rows` orders of the last 730 days, oldest first."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    facts: dict[str, Any] = {"company": company.pk, "stores": stores, "days": DAYS, "rows": rows}
    facts["start"] = today - timedelta(days=DAYS)
    facts["store"], facts["unit"] = _make_stores(company, stores)
    with connection.cursor() as cursor:
        cursor.execute(_SHARE)
        for first in range(0, rows, _PER_STATEMENT):
            cursor.execute(_MAKE_ORDERS, facts | {"first": first, "last": min(first + _PER_STATEMENT, rows) - 1})
            say(f"{min(first + _PER_STATEMENT, rows):,} of {rows:,} orders.")


def _make_stores(company: Company, count: int) -> tuple[int, int]:
    """The ids of the first store and of the first sales unit; the others follow without a gap."""
    stores = [
        Store(company=company, code=f"S{k:04}", name=f"Store {k}", city="Oslo", country="NO", time_zone="Europe/Oslo")
        for k in range(count)
    ]
    units = [
        SalesUnit(
            company=company,
            msn=str(500_000 + k),
            name=f"Unit {k}",
            market="NO",
            currency="NOK",
            environment=Environment.SIMULATOR,
        )
        for k in range(count)
    ]
    return Store.objects.bulk_create(stores)[0].pk, SalesUnit.objects.bulk_create(units)[0].pk
