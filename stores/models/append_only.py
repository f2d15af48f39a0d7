"""Triggers that keep rows: append-only tables, and tables whose rows are never deleted."""

import pgtrigger


def never_deleted(name: str) -> list[pgtrigger.Trigger]:
    """Refuse DELETE and TRUNCATE; `name` starts both triggers' names."""
    return [
        pgtrigger.Protect(name=f"{name}_no_delete", operation=pgtrigger.Delete),
        pgtrigger.Trigger(
            name=f"{name}_no_truncate",
            level=pgtrigger.Statement,
            when=pgtrigger.Before,
            operation=pgtrigger.Truncate,
            func=f"RAISE EXCEPTION 'rows of {name} are never deleted';",
        ),
    ]


def append_only(name: str) -> list[pgtrigger.Trigger]:
    """Refuse UPDATE, DELETE and TRUNCATE."""
    return [pgtrigger.Protect(name=f"{name}_no_update", operation=pgtrigger.Update), *never_deleted(name)]
