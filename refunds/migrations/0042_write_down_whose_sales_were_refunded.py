"""Every refund that was there before learns whose sale it was; the index of the lists that go by it."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

from stores.migrations._concurrently import AddIndexPatiently

_SOME = """
UPDATE refunds_refund AS refund SET origin_store_id = sale.store_id
FROM stores_order AS sale
WHERE sale.id = refund.order_id AND refund.id IN (SELECT id FROM refunds_refund WHERE origin_store_id IS NULL LIMIT 5000)
"""


def write_down(_apps, schema_editor):
    """In steps, each committed by itself, so that no refund waits long."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(_SOME)
        while cursor.rowcount:
            cursor.execute(_SOME)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("refunds", "0041_say_whose_sales_are_refunded")]

    operations = [
        migrations.RunPython(write_down, migrations.RunPython.noop, elidable=True),
        AddIndexPatiently(
            model_name="refund",
            index=models.Index(
                condition=models.Q(("state", "refunded")), fields=["origin_store", "-ended_at"], name="refund_origin_at"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="refund",
            trigger=pgtrigger.compiler.Trigger(
                name="refund_origin_is_immutable",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."origin_store_id" IS DISTINCT FROM (NEW."origin_store_id"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="03072f30d7b2516c1c641da3396d5293eb01a562",
                    operation="UPDATE",
                    pgid="pgtrigger_refund_origin_is_immutable_d6560",
                    table="refunds_refund",
                    when="BEFORE",
                ),
            ),
        ),
    ]
