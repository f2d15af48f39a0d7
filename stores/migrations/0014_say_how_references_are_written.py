"""The chain may say how its tills write references."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("stores", "0013_find_by_receipt_number")]

    operations = [
        migrations.AddField(
            "company",
            "reference_template",
            models.CharField(
                blank=True, db_default="", default="", max_length=80, verbose_name="how references are written"
            ),
        ),
    ]
