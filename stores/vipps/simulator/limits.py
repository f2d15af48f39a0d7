"""Rate limits as Vipps publishes them: per payment and minute of the simulator's clock.

Source: Vipps ePayment API and eCom API, rate limiting. Whether the minute slides and whether refused calls count is not
documented: two switches.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from stores.vipps.simulator.problems import gateway
from stores.vipps.simulator.switches import Switches
from stores.vipps.simulator.wire import Reply

WINDOW = 60.0
MODIFICATIONS = 5
INITIATIONS = 2
READS = 120
_MAX_WINDOWS = 50_000


@dataclass(frozen=True, kw_only=True, slots=True)
class WindowView:
    """How full a window is; `subject` without any key in it."""

    subject: tuple[str, ...]
    used: int
    limit: int


class RateLimits:
    """One for all APIs: the windows are told apart by their subject."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches
        self._windows: dict[tuple[str, ...], deque[float]] = {}
        self._limits: dict[str, int] = {}

    def throttle(self, subject: tuple[str, ...], *, limit: int, now: float) -> Reply | None:
        """A 429 if the call may not pass; None if it may, which counts it. The subject's first part names the limit."""
        if not self._switches.rate_limits:
            return None
        wait = self._seconds_to_wait(subject, limit=limit, now=now)
        if wait <= 0:
            return None
        waits = (("Retry-After", str(int(wait) + 1)),) if self._switches.retry_after else ()
        return gateway(429, "Rate limit is exceeded. Try again later.", headers=waits)

    def windows(self, now: float) -> list[WindowView]:
        """Those in which anything was counted, the fullest first."""
        self._forget_quiet(now)
        found = [
            WindowView(
                subject=subject[:2] if subject[0] == "read" else subject,
                used=len(self._fresh(window, now)),
                limit=self._limits[subject[0]],
            )
            for subject, window in self._windows.items()
        ]
        return sorted((view for view in found if view.used), key=lambda view: -view.used / view.limit)

    def _seconds_to_wait(self, subject: tuple[str, ...], *, limit: int, now: float) -> float:
        window = self._windows.get(subject)
        if window is None:
            if len(self._windows) >= _MAX_WINDOWS:
                self._forget_quiet(now)
            self._limits[subject[0]] = limit
            window = self._windows[subject] = deque()
        self._fresh(window, now)
        if len(window) < limit:
            window.append(now)
            return 0.0
        if self._switches.limit_counts_refused:
            window.append(now)
        if self._switches.limit_window == "fixed":
            return WINDOW - now % WINDOW
        return WINDOW - (now - window[-limit])

    def _fresh(self, window: deque[float], now: float) -> deque[float]:
        if self._switches.limit_window == "fixed":
            while window and window[0] // WINDOW != now // WINDOW:
                window.popleft()
        else:
            while window and now - window[0] >= WINDOW:
                window.popleft()
        return window

    def _forget_quiet(self, now: float) -> None:
        self._windows = {subject: window for subject, window in self._windows.items() if self._fresh(window, now)}
