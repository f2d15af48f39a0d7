"""A progress bar on stderr: one line that grows in a terminal, a line for every tenth where nobody watches."""

import sys
from typing import TextIO

_WIDTH = 32


class Progress:
    """Counts towards `total`; `done` may start above zero."""

    def __init__(self, title: str, *, total: int, done: int = 0, stream: TextIO | None = None) -> None:
        self._title = title
        self._total = total
        self._done = done
        self._stream = stream or sys.stderr
        self._is_terminal = self._stream.isatty()
        self._shown_tenth = -1

    def add(self, count: int) -> None:
        """So many more are done."""
        self._done += count
        tenth = self._done * 10 // self._total
        if not self._is_terminal and tenth == self._shown_tenth:
            return
        self._shown_tenth = tenth
        filled = self._done * _WIDTH // self._total
        bar = "█" * filled + "·" * (_WIDTH - filled)
        line = f"{self._title} {bar} {self._done:,} of {self._total:,}"
        is_last = self._done >= self._total or not self._is_terminal
        self._stream.write(("\r" if self._is_terminal else "") + line + ("\n" if is_last else ""))
        self._stream.flush()
