"""Before a Celery process does anything: an unsafe start is refused, and the worker's calls are watched.

Celery imports this module when it loads the tasks; a signal's receiver that only raised an Exception would be logged
and forgotten, so a refusal is a SystemExit.
"""

from celery.signals import beat_init, worker_init, worker_process_init
from django.core.exceptions import ImproperlyConfigured

from hq.checks import refuse_unsafe_start
from hq.watchdog import watch_calls


@worker_init.connect
def start_worker(**_arguments: object) -> None:
    """The worker's main process, which with the threads pool is the only one."""
    _refuse_unsafe("worker")
    watch_calls()


@worker_process_init.connect
def start_child(**_arguments: object) -> None:
    """A child of the prefork pool: threads do not survive a fork."""
    watch_calls()


@beat_init.connect
def start_beat(**_arguments: object) -> None:
    """Beat."""
    _refuse_unsafe("beat")


def _refuse_unsafe(process: str) -> None:
    try:
        refuse_unsafe_start(process)
    except ImproperlyConfigured as refusal:
        raise SystemExit(str(refusal)) from refusal
