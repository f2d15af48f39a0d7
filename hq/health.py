"""Two questions a supervisor or load balancer asks: is the process alive, and may it be given work."""

from collections.abc import Callable
from functools import cache

from django.conf import settings
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from hq.checks import keys_are_set


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
