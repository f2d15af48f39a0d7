"""`manage.py verify_audit`: recompute every chain of the trail and name the first bad row."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from stores import audit


class Command(BaseCommand):
    """Prints the counts; ends with 1 when a row does not hold."""

    help = "Recompute every chain of the audit trail; exit 1 naming the first bad row."
    requires_system_checks: list[str] = []  # whoever verifies needs to read, and no key of the hub

    def handle(self, *args: Any, **options: Any) -> None:
        found = audit.verify()
        counted = f"{found.entries} entries in {found.chains} chains"
        if found.bad is None:
            self.stdout.write(f"The trail holds: {counted}.")
            return
        bad = found.bad
        row = f", row {bad.entry_id}" if bad.entry_id is not None else ""
        chain = f"{bad.chain} (id {bad.chain_id})" if bad.chain_id is not None else bad.chain
        raise CommandError(
            f"The trail does not hold after {counted}. First bad row: chain {chain}, number {bad.counter}{row}: {bad.what}.",
            returncode=1,
        )
