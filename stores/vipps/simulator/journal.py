"""What is kept when the process dies: one JSON line per fact, written before the answer goes out.

A line handed to the operating system survives `kill -9` of the process, so no fsync is made; a machine that loses
its power may lose the last lines. A line torn by a crash is cut off at the next start.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class Journal:
    """An append-only file. `records()` must have been read to the end before the first `write`."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)

    def records(self) -> Iterator[dict[str, Any]]:
        """Raises ValueError if a line before the last one is damaged."""
        whole = 0
        with os.fdopen(os.dup(self._file), "rb") as file:
            file.seek(0)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                whole += len(line)
                yield json.loads(line)
        os.ftruncate(self._file, whole)

    def write(self, *records: dict[str, Any]) -> None:
        lines = "".join(json.dumps(record, separators=(",", ":")) + "\n" for record in records).encode()
        while lines:
            lines = lines[os.write(self._file, lines) :]

    def close(self) -> None:
        os.close(self._file)
