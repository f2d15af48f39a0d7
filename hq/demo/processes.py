"""One supervised process: what to start, and the handle to it once it runs."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hq.demo.probes import Probe, at_once

_FIRST_DELAY = 0.2
_LONGEST_DELAY = 15.0
_STEADY_SECONDS = 30.0  # up this long, and earlier crashes are forgiven
_LARGEST_LOG = 5_000_000  # bytes; a larger one is put aside when a run begins


@dataclass(frozen=True, kw_only=True)
class ProcessSpec:
    """A process to run. `env` is its whole environment, so that a key is only where it is meant to be.

    `ready` is asked until it says yes, for at most `ready_within` seconds; `grace` is the seconds it may take to end.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    ready: Probe = at_once
    ready_within: float = 60.0
    restart: bool = True
    grace: float = 10.0


class Child:
    """A process of a spec, in a session of its own so that a Ctrl-C in the terminal reaches the supervisor alone."""

    def __init__(self, spec: ProcessSpec, *, folder: Path, log: Path) -> None:
        self.spec = spec
        self.log = log
        self.is_ready = False
        self.pid = 0  # also its group's number; 0 once the whole group is gone
        self.due: float | None = None  # monotonic second of the next start, while it waits for one
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._crashes = 0
        put_aside(log)

    def start(self) -> None:
        """Start the process; what it prints goes straight to its log, which needs nobody to pass it on."""
        self.due = None
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 (the argv of a spec, written in the code)
                self.spec.argv,
                cwd=self._folder,
                env={**self.spec.env, "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.pid = self._process.pid
        self._started = time.monotonic()

    def ended(self) -> int | None:
        """Give the exit code of a process that ended, None while it runs or waits to be started again."""
        return None if self._process is None or self.due is not None else self._process.poll()

    def plan_restart(self) -> float:
        """Decide when to start it again after it ended: later each time, within bounds. Gives the delay in seconds."""
        now = time.monotonic()
        self._crashes = 1 if now - self._started >= _STEADY_SECONDS else self._crashes + 1
        delay = min(_FIRST_DELAY * (1 << min(self._crashes - 1, 16)), _LONGEST_DELAY)
        self.due = now + delay
        return delay

    def end(self, *, hurry: Callable[[], bool]) -> bool:
        """Ask the process to end, wait out its grace, kill what is left of its group; True if it ended by itself."""
        if self._process is None:
            return True
        deadline = time.monotonic() + self.spec.grace
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        while self._process.poll() is None and time.monotonic() < deadline and not hurry():
            time.sleep(0.02)
        ended_by_itself = self._process.poll() is not None
        self.kill_group()
        self._process.wait()
        return ended_by_itself

    def kill_group(self) -> None:
        """Kill what is left of the group: the process itself, or a server's own workers that outlived it."""
        if self.pid:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
            self.pid = 0

    def last_words(self) -> str:
        """The last lines of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])


def put_aside(log: Path) -> None:
    """Begin a fresh log for this run; the previous run's stays beside it as `<name>.log.1`, unless it is too large."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists():
        if log.stat().st_size <= _LARGEST_LOG:
            log.replace(log.with_name(f"{log.name}.1"))
        else:
            log.unlink()
    log.touch()
