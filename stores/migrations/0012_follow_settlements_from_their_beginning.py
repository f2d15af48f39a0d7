"""Settlement entries are summed by payment, captures too; and a feed says since when, how far and with what it was read."""

from django.db import migrations, models

import stores.clock
from stores.migrations._concurrently import AddIndexPatiently, RemoveIndexPatiently


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("stores", "0014_say_how_references_are_written")]

    operations = [
        AddIndexPatiently("settlemententry", models.Index(fields=["sales_unit", "reference"], name="settled_of_payment")),
        RemoveIndexPatiently("settlemententry", "settled_of_order"),
        migrations.AddField(
            "settlementfeed",
            "begun_at",
            models.DateTimeField(default=stores.clock.db_now, verbose_name="read from the beginning since"),
        ),
        migrations.AddField(
            "settlementfeed", "latest_at", models.DateTimeField(blank=True, null=True, verbose_name="read until")
        ),
        migrations.AddField(
            "settlementfeed",
            "orders",
            models.PositiveBigIntegerField(db_default=0, default=0, verbose_name="orders found"),
        ),
        # What was read to its end before this was counted was begun before that.
        migrations.RunSQL(
            "UPDATE stores_settlementfeed SET begun_at = complete_at WHERE complete_at IS NOT NULL", migrations.RunSQL.noop
        ),
    ]
