"""`manage.py reseal_secrets`: move every sealed value to the newest vault key; run it where the private keys are."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from stores.actors import hub
from stores.models import Company
from stores.rotation import reseal


class Command(BaseCommand):
    """Start it again after a stop: it takes up where it was. The old key may go once it ends with 0."""

    help = "Reseal every secret under the newest vault key (needs the private keys, old and new)."

    def handle(self, *args: Any, **options: Any) -> None:
        company = Company.objects.order_by("pk").first()
        if company is None:
            self.stdout.write("There is nothing sealed yet.")
            return
        done = reseal(company, by=hub("reseal_secrets"))
        self.stdout.write(f"{done.count} sealed values moved to vault key {done.vault_key}.")
        if done.unreadable:
            rows = ", ".join(map(str, done.unreadable))
            raise CommandError(f"These do not open with the keys given and stayed as they were: rows {rows}.", returncode=1)
