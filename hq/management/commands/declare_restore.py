"""Says that the database was restored from a backup, before the workers start: nothing is sent until that is checked."""

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from refunds import restoring
from stores.actors import hub
from stores.errors import HubError
from stores.models import Company


class Command(BaseCommand):
    """`manage.py declare_restore 2026-11-01T02:00:00Z --reason "disk failure" --by "Hanne"`."""

    help = "Hold every refund back until the orders near a restore were read at Vipps again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("restored_to", help="the time that the backup held, like 2026-11-01T02:00:00Z")
        parser.add_argument("--reason", required=True, help="what happened, for the trail")
        parser.add_argument("--by", required=True, help="who restored it")

    def handle(self, *args: Any, restored_to: str, reason: str, by: str, **options: Any) -> None:
        try:
            moment = datetime.fromisoformat(restored_to)
        except ValueError as error:
            raise CommandError(f"{restored_to} is no time; write it like 2026-11-01T02:00:00Z.") from error
        moment = moment.replace(tzinfo=moment.tzinfo or UTC)
        for company in Company.objects.order_by("pk"):
            try:
                epoch = restoring.declare_restore(
                    company, restored_to=moment, reason=reason, declared_by=by, by=hub("declare_restore")
                )
            except HubError as refusal:
                raise CommandError(f"{company}: {refusal}") from refusal
            self.stdout.write(
                f"{company}: {epoch.looks.count()} orders are read at Vipps by the sweep, then it is quiet for 15 minutes; "
                "until then nothing is sent."
            )
