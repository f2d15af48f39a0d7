"""`manage.py request_refunds FILE.csv --as USERNAME --store CODE`: one person's wishes from a file, told as at the desk."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from refunds.importing import Batch, Outcome, RowOutcome, read_batch
from stores import access, clock
from stores.errors import HubError
from stores.models import Store, User


class Command(BaseCommand):
    """Each row is asked for by the person named, in her store, within her rights; a second run refunds nothing twice."""

    help = "Ask for the refunds of a CSV file, in a person's name; the rows count as a spreadsheet counts them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="key, amount_minor, currency, reason, reason_text, and order_id or "
                            "store and reference")  # fmt: skip
        parser.add_argument("--as", dest="username", required=True, help="who asks: cashier or manager in that store")
        parser.add_argument("--store", required=True, help="the code of the store that takes the goods back")
        parser.add_argument("--dry-run", action="store_true", help="only say what would become of each row by itself")

    def handle(self, *args: Any, file: Path, username: str, store: str, dry_run: bool, **options: Any) -> None:
        person, place = _person(username, store)
        run = f"request_refunds-{clock.new_id().hex[:12]}"
        try:
            by = replace(access.actor_for(person, store=place), request_id=run)
            batch = read_batch(file.read_bytes(), asker=person, store=place, by=by)
        except OSError as error:
            raise CommandError(f"The file cannot be read: {error.strerror}.") from error
        except HubError as error:
            raise CommandError(f"{error.code}: {error.sentence}") from error
        counts = self._tell(batch, dry_run=dry_run)
        told = ", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome if counts[outcome])
        self.stdout.write(f"{told}." if dry_run else f"{told}. In the trail: request {run}.")
        if counts[Outcome.REFUSED]:
            raise CommandError("Some rows were refused; nothing of them was written.", returncode=1)

    def _tell(self, batch: Batch, *, dry_run: bool) -> Counter[Outcome]:
        counts: Counter[Outcome] = Counter()
        for found in batch.rehearse() if dry_run else batch.request():
            counts[found.outcome] += 1
            self.stdout.write(f"row {found.row} ({sum(counts.values())}/{len(batch.wishes)}): {_in_words(found)}")
            self.stdout.flush()
        return counts


def _person(username: str, code: str) -> tuple[User, Store]:
    person = User.objects.filter(username=username, is_active=True).first()
    if person is None:
        raise CommandError(f"Nobody active is called {username}.")
    store = access.stores_of(person).select_related("company").filter(code=code).first()
    if store is None:
        raise CommandError(f"{username} is neither cashier nor manager in an open store {code}.")
    return person, store


def _in_words(found: RowOutcome) -> str:
    if found.outcome is Outcome.REFUSED:
        return f"refused, {found.code}{f' ({found.field})' if found.field else ''}: {found.detail}"
    return f"{found.outcome} {found.refund or ''}".strip()
