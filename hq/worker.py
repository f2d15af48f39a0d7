"""Before a Celery process does anything: an unsafe start is refused, and the worker's calls are watched.

Celery imports this module when it loads the tasks; a signal's receiver that only raised an Exception would be logged
and forgotten, so a refusal is a SystemExit.
"""

import logging
import threading

from celery.signals import beat_init, worker_init, worker_process_init, worker_ready
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connections

from hq.checks import refuse_unsafe_start
from hq.watchdog import watch_calls
from refunds.sweep import sweep_once
from stores.actors import hub

logger = logging.getLogger(__name__)


@worker_init.connect
def start_worker(**_arguments: object) -> None:
    """The worker's main process, which with the threads pool is the only one."""
    _refuse_unsafe("worker")
    watch_calls()


@worker_ready.connect
def sweep_at_start(**_arguments: object) -> threading.Thread:
    """What lay waiting while no worker ran is found at once, with or without the sweep's own process."""
    sweep = threading.Thread(target=_sweep, name="sweep at start", daemon=True)
    sweep.start()
    return sweep


@worker_process_init.connect
def start_child(**_arguments: object) -> None:
    """A child of the prefork pool: threads do not survive a fork."""
    watch_calls()


@beat_init.connect
def start_beat(**_arguments: object) -> None:
    """Beat."""
    _refuse_unsafe("beat")


def _sweep() -> None:
    try:
        sweep_once(by=hub("worker"))
    except DatabaseError:
        # the database is away: the sweep's own process, or beat, finds the same rows
        logger.exception("sweep at start failed")
    finally:
        connections.close_all()


def _refuse_unsafe(process: str) -> None:
    try:
        refuse_unsafe_start(process)
    except ImproperlyConfigured as refusal:
        raise SystemExit(str(refusal)) from refusal
