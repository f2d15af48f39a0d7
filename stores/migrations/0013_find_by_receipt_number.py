"""A receipt number of a till finds its orders: an index of the numbers that there are."""

from django.db import migrations, models

from stores.migrations._concurrently import AddIndexPatiently


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("stores", "0009_read_what_vipps_tells_of")]

    operations = [
        AddIndexPatiently(
            "order",
            models.Index(
                condition=models.Q(("receipt_number__gt", "")), fields=["receipt_number"], name="order_receipt_number"
            ),
        ),
    ]
