"""The Celery app: `celery -A hq.celery worker --pool threads`, and `beat`. Messages carry ids only.

The database is the queue, so every setting here is about speed and tidiness; none is about correctness.
Threads have no hard time limit: the transport's total deadline and the worker's watchdog stand in for it.
"""

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hq.settings")

app = Celery("refund_hub")
app.set_default()  # else only the thread that imported this would publish through it


@setup_logging.connect  # Celery would replace the hub's log configuration by its own
def keep_our_logging(**_arguments: object) -> None:
    """Leave logging as Django's settings configured it."""


_IMPATIENT = {"socket_connect_timeout": 0.5, "socket_timeout": 1.0, "max_retries": 0}


def _broker() -> dict[str, Any]:
    if settings.REDIS_URL:
        return {
            "broker_url": settings.REDIS_URL,
            "broker_transport_options": {
                "visibility_timeout": 180,
                "socket_keepalive": True,
                "health_check_interval": 30,
                # Who only publishes waits about a second for a Redis that hangs, and not at all for one that is down;
                # without max_retries it would be four. A worker waits for messages longer than that on purpose.
                **({} if settings.PROCESS == "worker" else _IMPATIENT),
            },
            "visibility_timeout": 180,
        }
    folder = settings.BROKER_FOLDER
    return {
        "broker_url": "filesystem://",
        "broker_transport_options": {
            "data_folder_in": str(folder / "messages"),
            "data_folder_out": str(folder / "messages"),
            "control_folder": str(folder / "control"),
            "polling_interval": 0.1,
        },
    }


app.conf.update(
    task_serializer="json",
    accept_content=["json"],
    task_ignore_result=True,
    result_backend=None,
    task_acks_late=True,
    worker_prefetch_multiplier=1,
    worker_consumer="hq.consumer:SteadyConsumer",
    task_publish_retry=False,
    task_default_queue="refunds",
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
    worker_enable_remote_control=False,
    timezone="UTC",
    CELERY_DB_REUSE_MAX=10_000,
    beat_schedule={
        "sweep": {"task": "refunds.sweep", "schedule": 15.0, "options": {"expires": 15}},
        "registrations": {"task": "stores.keep_registrations", "schedule": 600.0, "options": {"expires": 600}},
        "search": {"task": "stores.merge_search_index", "schedule": 60.0, "options": {"expires": 60}},
        "round": {"task": "refunds.round", "schedule": 60.0, "options": {"expires": 60}},
    },
    **_broker(),
)
app.autodiscover_tasks(["refunds"])
app.autodiscover_tasks(["hq"], related_name="worker")
