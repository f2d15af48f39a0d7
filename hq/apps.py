"""The hq app: headquarters' windows; it owns no tables."""

from django.apps import AppConfig
from django_structlog import signals

from hq import checks
from hq.celery import app as celery_app
from hq.events import HQ_EVENTS
from hq.visitors import bind_address
from stores import events

__all__ = ["HqConfig", "celery_app", "checks"]


class HqConfig(AppConfig):
    """The roof. Importing `checks` registers them; importing the Celery app lets every process of the hub nudge."""

    name = "hq"
    label = "hq"

    def ready(self) -> None:
        events.register(*HQ_EVENTS)
        signals.bind_extra_request_metadata.connect(bind_address)
