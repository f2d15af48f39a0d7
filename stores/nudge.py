"""The one publisher: tells a worker by name that a row is due; losing the message loses nothing."""

import logging

from celery import current_app
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


def publish(task: str, row_id: str) -> bool:
    """Send `task` the id of a row and nothing else; False where the broker cannot be reached: the sweep finds the row.

    Never tries twice: somebody is waiting for the page behind this call.
    """
    try:
        current_app.send_task(task, args=[row_id], retry=False, ignore_result=True)
    except (KombuError, RedisError, OSError) as error:
        logger.warning("nudge not sent task=%s row=%s: %s", task, row_id, type(error).__name__)
        return False
    return True
