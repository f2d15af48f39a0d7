"""Ends a process that has hung in a call to Vipps: threads have no hard time limit, so nothing else would free it.

What was in flight is found again by its row: the lease lapses, the refund becomes unknown, and evidence settles it.
"""

import logging
import os
import threading
import time
from collections.abc import Mapping

from refunds import gateway
from stores import clock

logger = logging.getLogger(__name__)

LONGEST_CALL_SECONDS = 60.0
"""Far beyond the transport's own total deadline: a call this old is not slow but stuck."""
EXIT_CODE = 70
_LOOK_EVERY_SECONDS = 1.0


def watch_calls(calls: Mapping[int, float] = gateway.calls_in_flight, *, longest: float = LONGEST_CALL_SECONDS) -> None:
    """Start watching, in a daemon thread; `calls` maps a thread's id to the monotonic second its call began."""
    threading.Thread(target=_watch, args=(calls, longest), name="watchdog", daemon=True).start()


def _watch(calls: Mapping[int, float], longest: float) -> None:
    while True:
        time.sleep(_LOOK_EVERY_SECONDS)
        began = list(calls.values())
        age = clock.monotonic() - min(began) if began else 0.0
        if age > longest:
            logger.critical("a call to Vipps is %.0f seconds old: this process ends and is to be started again", age)
            logging.shutdown()  # os._exit flushes nothing
            os._exit(EXIT_CODE)
