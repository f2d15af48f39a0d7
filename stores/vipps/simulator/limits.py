"""Rate limits as Vipps publishes them: per payment, sliding over a minute of the simulator's clock.

Source: Vipps ePayment API, rate limiting. Whether refused calls count is not documented; here they do not.
"""

from __future__ import annotations

from collections import deque

WINDOW = 60.0
MODIFICATIONS = 5
READS = 120
_MAX_WINDOWS = 50_000


class RateLimits:
    def __init__(self) -> None:
        self._windows: dict[tuple[str, ...], deque[float]] = {}

    def seconds_to_wait(self, subject: tuple[str, ...], *, limit: int, now: float) -> float:
        """0 if the call may pass, which counts it; else the seconds until one may."""
        window = self._windows.get(subject)
        if window is None:
            if len(self._windows) >= _MAX_WINDOWS:
                self._forget_quiet(now)
            window = self._windows[subject] = deque()
        while window and now - window[0] >= WINDOW:
            window.popleft()
        if len(window) >= limit:
            return WINDOW - (now - window[0])
        window.append(now)
        return 0.0

    def _forget_quiet(self, now: float) -> None:
        self._windows = {subject: window for subject, window in self._windows.items() if window and now - window[-1] < WINDOW}
