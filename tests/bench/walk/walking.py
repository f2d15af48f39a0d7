"""One customer at the desk, by keyboard, in a real browser: nobody thinks, so what is counted is the machine's time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Page

RESULTS, ORDER, CONFIRM, ACCEPTED, REFUNDED = "results", "order", "confirm", "accepted", "refunded"
LEGS = (RESULTS, ORDER, CONFIRM, ACCEPTED, REFUNDED)
_STARTS = "#q:focus"
_SHOWS_RESULTS = ".answers .hit a"
_ASKS_HOW_MUCH = "#amount:focus"
_ASKS_ONCE_MORE = "form[data-press] button.primary:focus"
_IS_ACCEPTED = "#progress"
_IS_REFUNDED = "#progress.done"


@dataclass(kw_only=True)
class Walk:
    """Keystrokes after the scan, and the seconds until each page stood there with the cursor where the next key wants it."""

    keys: int = 0
    legs: dict[str, float] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        return sum(self.legs.values())


def scan(page: Page, reference: str) -> Walk:
    """A code that is one order's: it opens at once."""
    walk = _begin(page, reference)
    with _leg(walk, ORDER, page, _ASKS_HOW_MUCH):
        page.keyboard.press("Enter")  # the scanner's own
    return _refund_all(page, walk)


def choose(page: Page, part: str) -> Walk:
    """A part that several orders have: the first of them that has anything left is chosen."""
    walk = _begin(page, part)
    with _leg(walk, RESULTS, page, _SHOWS_RESULTS):
        page.keyboard.press("Enter")  # here, too, it ends what was typed
    with _leg(walk, ORDER, page, _ASKS_HOW_MUCH):
        _press(page, walk, "ArrowDown", "Enter")
    return _refund_all(page, walk)


def _begin(page: Page, typed: str) -> Walk:
    page.goto("/desk/")
    page.wait_for_selector(_STARTS)
    page.keyboard.insert_text(typed)
    return Walk()


def _refund_all(page: Page, walk: Walk) -> Walk:
    """All that is left, the first reason, go on, refund."""
    with _leg(walk, CONFIRM, page, _ASKS_ONCE_MORE):
        _press(page, walk, "F2", "1", "Enter")
    with _leg(walk, ACCEPTED, page, _IS_ACCEPTED):
        _press(page, walk, "Enter")
    with _leg(walk, REFUNDED, page, _IS_REFUNDED):
        pass
    return walk


def _press(page: Page, walk: Walk, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)
    walk.keys += len(keys)


@contextmanager
def _leg(walk: Walk, name: str, page: Page, ready: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    page.wait_for_selector(ready)
    walk.legs[name] = time.perf_counter() - began
