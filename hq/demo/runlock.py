"""One run at a time per `var` folder; who runs, and where, can be read by a second start."""

import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

_PREVIOUS_ENDS_SECONDS = 40.0


class AlreadyRunning(RuntimeError):
    """Somebody else runs in this folder; the text says who and where."""


class RunLock:
    """Two files locked by the kernel, so that a killed run never leaves a lock behind.

    `run.lock` is held by the supervisor alone and says who runs. `run.children.lock` is shared with the undertaker and
    becomes free when the last process of a run is gone, also after the supervisor was killed.
    """

    def __init__(self, var: Path, *, say: Callable[[str], None]) -> None:
        self._run = var / "run.lock"
        self._children = var / "run.children.lock"
        self._say = say
        self._handle = -1
        self.children_handle = -1

    def __enter__(self) -> Self:
        """Take both locks: raise AlreadyRunning at once if a supervisor lives, wait for the processes of a dead one."""
        self._run.parent.mkdir(parents=True, exist_ok=True)
        self._handle = _open(self._run)
        if not _take(self._handle):
            who = os.pread(self._handle, 2000, 0).decode(errors="replace").strip() or "another process"
            self._close()
            raise AlreadyRunning(f"It already runs here: {who}.")
        self.announce("starting")
        self.children_handle = _open(self._children)
        try:
            self._wait_for_previous()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.ftruncate(self._handle, 0)
        self._close()

    def announce(self, where: str) -> None:
        """Write down for a second start who runs and where, for example "desk at http://…"."""
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, f"process {os.getpid()}, {where}".encode(), 0)

    def _wait_for_previous(self) -> None:
        deadline = time.monotonic() + _PREVIOUS_ENDS_SECONDS
        said = False
        while not _take(self.children_handle):
            if time.monotonic() > deadline:
                raise AlreadyRunning("Processes of the previous run do not end; see `ps` for them.")
            if not said:
                self._say("The previous run was killed; waiting for its processes to end.")
                said = True
            time.sleep(0.1)

    def _close(self) -> None:
        for handle in (self._handle, self.children_handle):
            if handle >= 0:
                os.close(handle)
        self._handle = self.children_handle = -1


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _take(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
