"""A restore from backup: the hub's rows of some orders go back to what they were, while Vipps keeps its log."""

from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db import connection, models, transaction

from refunds.models import Refund
from stores.models import Chain, Entry, Order

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True, kw_only=True)
class Backup:
    """What the tables held of these orders at one moment, and where each chain of the trail ended."""

    order_ids: list[int]
    at: float
    tables: dict[str, Rows] = field(default_factory=dict)
    heads: list[tuple[int, int, bytes]] = field(default_factory=list)


def taken(order_ids: list[int], *, at: float) -> Backup:
    """A backup of everything that hangs on these orders."""
    backup = Backup(order_ids=order_ids, at=at)
    with connection.cursor() as cursor:
        for table, condition in _TABLES:
            cursor.execute(f"SELECT * FROM {table} WHERE {condition}", [order_ids])  # noqa: S608  # names of our own models
            backup.tables[table] = cursor.fetchall()
    backup.heads.extend((pk, counter, bytes(head)) for pk, counter, head in Chain.objects.values_list("pk", "counter", "head"))
    return backup


def restore(backup: Backup) -> None:
    """Put the database back. Nobody may be at work."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = 'replica'")  # a restore asks no trigger
        for table, condition in _TABLES:
            cursor.execute(f"DELETE FROM {table} WHERE {condition}", [backup.order_ids])  # noqa: S608  # as above
        for table, _ in reversed(_TABLES):
            rows = backup.tables[table]
            if rows:
                places = ", ".join(["%s"] * len(rows[0]))
                cursor.executemany(f"INSERT INTO {table} VALUES ({places})", [list(map(_plain, row)) for row in rows])  # noqa: S608
        for pk, counter, head in backup.heads:
            Entry.objects.filter(chain=pk, counter__gt=counter).delete()
            Chain.objects.filter(pk=pk).update(counter=counter, head=head)


def _plain(value: Any) -> Any:
    return connection.ops.adapt_json_value(value, None) if isinstance(value, dict | list) else value


def _hanging_on_orders() -> list[tuple[str, str]]:
    """Every table of refunds that leads to an order, the leaves first, and the orders themselves."""
    paths: dict[type[models.Model], str] = {Order: "id = ANY(%s)"}
    waiting = [model for model in apps.get_app_config("refunds").get_models() if not model._meta.proxy]
    found = True
    while found:
        found = False
        for model in [model for model in waiting if model not in paths]:
            for column in model._meta.fields:
                target: Any = column.related_model
                if isinstance(column, models.ForeignKey) and target in paths and target is not model:
                    inner = f"SELECT {target._meta.pk.column} FROM {target._meta.db_table} WHERE {paths[target]}"  # noqa: S608
                    paths[model] = f"{column.column} IN ({inner})"
                    found = True
                    break
    return [(model._meta.db_table, condition) for model, condition in reversed(paths.items())]


_TABLES = _hanging_on_orders()
assert Refund._meta.db_table in dict(_TABLES)
