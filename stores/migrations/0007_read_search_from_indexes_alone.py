"""The ends of references and the captured amounts get indexes that answer a search without reading an order."""

import django.db.models.deletion
import django.db.models.functions.text
from django.db import migrations, models

from stores.migrations._concurrently import AddIndexPatiently, RemoveIndexPatiently

FOREIGN_KEYS = {"stores_order_sales_unit_id_8ae7f872": "sales_unit_id", "stores_order_store_id_19131a35": "store_id"}
"""Indexes of one column that begins another index."""


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("stores", "0030_say_what_receipts_need")]

    operations = [
        AddIndexPatiently(
            "order",
            models.Index(
                django.db.models.functions.text.Reverse("ref_key"),
                models.F("paid_at"),
                models.F("id"),
                include=("ref_key",),
                name="order_ref_key_end",
            ),
        ),
        AddIndexPatiently(
            "order",
            models.Index(
                fields=["store", "captured_minor", "-paid_at"],
                condition=models.Q(
                    ("claimed_minor", None),
                    ("captured_minor__lt", models.F("claimed_minor")),
                    ("captured_minor__gt", models.F("claimed_minor")),
                    _connector="OR",
                ),
                name="order_store_captured",
            ),
        ),
        RemoveIndexPatiently("order", "order_ref_key_reversed"),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    "order",
                    "sales_unit",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="orders",
                        to="stores.salesunit",
                        verbose_name="sales unit",
                    ),
                ),
                migrations.AlterField(
                    "order",
                    "store",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="orders",
                        to="stores.store",
                        verbose_name="store",
                    ),
                ),
            ],
            database_operations=[
                migrations.RunSQL(
                    f"DROP INDEX CONCURRENTLY IF EXISTS {name}",
                    f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON stores_order ({column})",
                )
                for name, column in FOREIGN_KEYS.items()
            ],
        ),
    ]
