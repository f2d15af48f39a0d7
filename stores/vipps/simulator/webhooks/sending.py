"""Webhooks over real HTTP: one attempt, and the thread that makes them while the simulator is served."""

from __future__ import annotations

import http.client
import logging
import threading
from collections.abc import Callable
from urllib.parse import urlsplit

from stores.vipps.simulator.webhooks.telling import Outgoing

logger = logging.getLogger("stores.vipps.simulator")

ANSWER_SECONDS = 10.0
_PAUSE = 0.1


def send(outgoing: Outgoing) -> int | None:
    """The answer's status, None if there was none within 10 seconds. Redirects are not followed."""
    parts = urlsplit(outgoing.url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=ANSWER_SECONDS)
    path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    try:
        connection.request("POST", path, body=outgoing.body, headers=outgoing.headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        logger.info("webhook to %s: %s", parts.hostname, error)
        return None
    finally:
        connection.close()


class Sender:
    """Delivers what is due, over and over, until it is told to stop."""

    def __init__(self, deliver_due: Callable[[], int]) -> None:
        self._deliver_due = deliver_due
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """An attempt on its way is not waited for."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.wait(_PAUSE):
            try:
                self._deliver_due()
            except Exception:
                logger.exception("webhooks could not be delivered")
