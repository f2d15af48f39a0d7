"""Takes from the broker what the hub itself would send: one of its tasks, at most one short id, nothing to follow.

Whatever else comes is put away unread. Celery foresees most of what may be wrong with a message; what it does not foresee
ends the worker, or holds one of its few places for ever, and the message is there again for the next one.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from celery.worker.consumer import Consumer
from kombu import Message

logger = logging.getLogger(__name__)

_LONGEST_BODY = 1_000
_LONGEST_ID = 64
_CELERYS_OWN = "celery."


class SteadyConsumer(Consumer):
    """Named in Celery's `worker_consumer` setting."""

    def create_task_handler(self, *given: Any) -> Callable[[Message], None]:
        take: Callable[[Message], None] = super().create_task_handler(*given)
        away: tuple[type[BaseException], ...] = self.connection.connection_errors if self.connection else ()
        known: set[str] = set(self.app.tasks)

        def take_or_put_away(message: Message) -> None:
            try:
                message.headers = _checked(message, known=known)
                take(message)
            except away:
                raise  # the broker is away: Celery connects again
            except Exception as error:
                # without what the error says: that may be as long as whoever sent the message likes
                logger.error("a message unlike the hub's own was put away: %s", type(error).__name__)
                message.reject_log_error(logger, away)

        return take_or_put_away


def _checked(message: Message, *, known: set[str]) -> dict[str, Any]:
    """The few headers that a worker needs (Celery: message protocol, version 2). Raises ValueError, or what decoding raises."""
    told = message.headers
    if len(message.body or b"") > _LONGEST_BODY or message.errors or told.get("compression"):
        raise ValueError("body")
    args, kwargs, embed = message.decode()
    is_nudge = kwargs == {} and isinstance(args, list) and len(args) <= 1 and all(_is_short(arg) for arg in args)
    if not is_nudge or not isinstance(embed, dict) or any(embed.values()):
        raise ValueError("arguments")
    task, message_id, expires = told.get("task"), told.get("id"), told.get("expires")
    if not _is_short(task) or task not in known or task.startswith(_CELERYS_OWN) or not _is_short(message_id):
        raise ValueError("task")
    if expires is not None:
        datetime.fromisoformat(expires)
    return {"lang": "py", "task": task, "id": message_id, "root_id": message_id, "expires": expires}


def _is_short(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST_ID
