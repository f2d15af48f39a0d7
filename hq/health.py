"""What a supervisor, load balancer or monitor asks: is the process alive, may it be given work, is the work going on."""

from collections.abc import Callable
from functools import cache

from django.conf import settings
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from hq.checks import keys_are_set
from refunds.models import Heartbeat
from stores import clock

LONGEST_SILENCE_SECONDS = 120
LONGEST_WITHOUT_A_NIGHT_SECONDS = 26 * 3600
"""Passes of the sweep are seconds apart, and one that runs refunds itself ends within a minute and a call."""


class _NotYet(Exception):
    """Migrations are still to be applied; an exception, so that only the good answer is remembered."""


@never_cache
@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers; asks nobody, so that a dead database does not restart the web."""
    return JsonResponse({"status": "alive"})


@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """200 when the database answers, its migrations are applied and the keys can be used; else 503 naming the part."""
    parts: dict[str, Callable[[], bool]] = {
        "database": _database_answers,
        "migrations": _migrations_are_applied,
        "vault": lambda: not keys_are_set(settings.PROCESS),
    }
    found = {name: "ok" if is_well() else "failing" for name, is_well in parts.items()}
    is_ready = all(state == "ok" for state in found.values())
    return JsonResponse({"status": "ready" if is_ready else "not ready", "checks": found}, status=200 if is_ready else 503)


@never_cache
@require_safe
def beating(request: HttpRequest, name: str, longest: int = LONGEST_SILENCE_SECONDS) -> JsonResponse:
    """200 with the age of a part's last heartbeat; 503 when it is older than `longest`, was never, or cannot be read.

    `sweep`: somebody finds due rows. `worker`: a message went through the broker and a worker finished it, which only a
    started beat makes happen. `reconcile`: the nightly round put its orders on the list.
    """
    try:
        beat = Heartbeat.objects.filter(name=name).first()
        age = (clock.db_now() - beat.at).total_seconds() if beat is not None else None
    except Error:
        return JsonResponse({"status": "unknown", "age_seconds": None}, status=503)
    is_beating = age is not None and age <= longest
    told = {"status": "beating" if is_beating else "silent", "age_seconds": None if age is None else round(age)}
    return JsonResponse(told, status=200 if is_beating else 503)


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return False
    return True


def _migrations_are_applied() -> bool:
    try:
        return _plan_is_empty()
    except (_NotYet, Error):
        return False


@cache
def _plan_is_empty() -> bool:
    """Reading the whole plan takes long; once it is empty it stays so for this process's code."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise _NotYet
    return True
