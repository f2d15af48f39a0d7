"""The sweep's own process: finds due refunds and runs them, and keeps the registrations at Vipps, without any broker."""

import logging
import signal
import threading
from types import FrameType
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, close_old_connections

from hq.checks import refuse_unsafe_start
from hq.watchdog import watch_calls
from refunds.rounds import go_round
from refunds.sweep import sweep_once
from stores import clock
from stores.actors import hub
from stores.registering import keep_registrations

logger = logging.getLogger(__name__)

_REGISTRATIONS_EVERY_SECONDS = 10.0
"""How often somebody asks whether a registration is due to be looked at; when it is, its own row says."""
_AT_ONCE = 8
"""Refunds that the sweep runs side by side where no worker takes them; each needs a connection of its own."""
_AFTER_FAILURE_SECONDS = 1.0
"""The database may be back at once, and what this pass would have found has waited since the one before."""


class Command(BaseCommand):
    """`manage.py sweep`: every few seconds until it is told to stop; `--once` for a single pass."""

    help = "Find due refunds and get them moving; needs no broker."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--every", type=float, default=5.0, help="seconds from pass to pass (default 5)")
        parser.add_argument("--once", action="store_true", help="one pass, then stop")

    def handle(self, *args: Any, every: float, once: bool, **options: Any) -> None:
        try:
            refuse_unsafe_start("sweep")
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error
        watch_calls()
        stop = threading.Event()

        def end(_signal: int, _frame: FrameType | None) -> None:
            stop.set()

        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)
        if once:
            keep_registrations(by=hub("sweep"))
        else:
            threading.Thread(target=_keep_registrations, args=(stop,), name="registrations", daemon=True).start()
        while not stop.is_set():
            close_old_connections()
            due = clock.monotonic() + every
            try:
                swept = sweep_once(by=hub("sweep"), at_once=_AT_ONCE)
                logger.info("sweep %s", swept)
                gone = go_round(by=hub("sweep"))
                logger.info("round %s", gone)
            except DatabaseError:
                # the database is away: the next pass finds the same rows
                logger.exception("sweep failed")
                due = clock.monotonic() + min(every, _AFTER_FAILURE_SECONDS)
            if once:
                return
            stop.wait(max(due - clock.monotonic(), 0))


def _keep_registrations(stop: threading.Event) -> None:
    """Beside the passes, so that no slow answer about webhooks keeps refunds waiting."""
    while not stop.is_set():
        close_old_connections()
        try:
            keep_registrations(by=hub("sweep"))
        except Exception:
            # whatever it was, its row is looked at again later, and the others must not wait for it
            logger.exception("keeping registrations failed")
        stop.wait(_REGISTRATIONS_EVERY_SECONDS)
