"""`manage.py vipps_simulator`: Vipps MobilePay to try things against; the door to the simulator's own program."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from stores.vipps.simulator.__main__ import main


class Command(BaseCommand):
    """Takes what `python -m stores.vipps.simulator` takes; needs neither keys nor a database."""

    requires_system_checks = ()
    help = "Serve the Vipps MobilePay simulator; see --help of python -m stores.vipps.simulator."

    def run_from_argv(self, argv: list[str]) -> None:
        """The simulator's own parser reads everything after the command's name."""
        sys.exit(main(argv[2:]))

    def handle(self, *args: Any, **options: Any) -> None:
        sys.exit(main([str(argument) for argument in args]))
