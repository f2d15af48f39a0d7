"""A pytest plugin: each test of the list runs once as it is, and once for every guard that it must miss.

`pytest -p tests.faults.sabotage.plugin --guards` collects nothing else; `python -m tests.faults.sabotage` starts it.
"""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

NAMES = "SABOTAGE"


@dataclass(kw_only=True)
class Seen:
    """Guard to whether some test missed it; tests that were red with every guard in place."""

    missed: dict[str, bool] = field(default_factory=dict)
    red_anyway: list[str] = field(default_factory=list)


_seen = Seen()
_gone: AbstractContextManager[None] = nullcontext()


def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """With each of its guards gone, and then as it is; only the last run is reported."""
    # imported here: Django must be ready, which a plugin named on the command line comes before
    from tests.faults.sabotage.guards import GUARDS  # noqa: PLC0415

    global _gone
    wanted = os.environ.get(NAMES, "").split("|")
    for guard in GUARDS:
        if guard.name not in wanted or not _is_of(item, guard.test):
            continue
        _gone = guard.gone()
        reports = _played(item, nextitem=_another(item))
        _gone = nullcontext()
        _seen.missed[guard.name] = _seen.missed.get(guard.name, False) or any(
            report.when == "call" and report.failed for report in reports
        )
    if any(report.failed for report in _played(item, nextitem=nextitem)):
        _seen.red_anyway.append(item.nodeid)
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Only while the test itself runs: what prepares it has every guard."""
    with _gone:
        return (yield)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Red if a guard was not missed, or a test needs none of them to fail."""
    unnoticed = sorted(name for name, missed in _seen.missed.items() if not missed)
    never_tried = sorted(set(os.environ.get(NAMES, "").split("|")) - set(_seen.missed))
    for text, names in (("not noticed", unnoticed), ("not tried", never_tried), ("red anyway", _seen.red_anyway)):
        for name in names:
            print(f"{text}: {name}")  # noqa: T201  # the run's report
    print(f"guards taken away and missed: {sum(_seen.missed.values())}")  # noqa: T201
    if unnoticed or never_tried or _seen.red_anyway:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _another(item: pytest.Item) -> pytest.Item | None:
    """Whoever comes next keeps the session's fixtures (the database) alive, and the item's own not."""
    return next((other for other in item.session.items if other is not item), None)


def _played(item: Any, *, nextitem: pytest.Item | None) -> list[pytest.TestReport]:
    """One whole run of the test, its fixtures anew."""
    if hasattr(item, "_initrequest"):
        item._initrequest()
    return runtestprotocol(item, nextitem=nextitem, log=False)


def _is_of(item: pytest.Item, test: str) -> bool:
    return item.nodeid == test or item.nodeid.startswith(f"{test}[")
