"""The supervisor's line to the undertaker, the process that ends the others should the supervisor be killed."""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

_SCRIPT = Path(__file__).with_name("burial.py")
_GRACE = "10"  # seconds between asking a process to end and killing it


class Undertaker:
    """Holds the writing end of a pipe: when this process is gone, the pipe ends, and the undertaker begins."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe = -1

    def call(self, lock_handle: int) -> None:
        """Start the undertaker; it keeps the lock behind `lock_handle` until the last process is buried."""
        self._hang_up()
        reading, self._pipe = os.pipe()  # neither end is inherited by other children
        self._process = subprocess.Popen(  # noqa: S603 (our own script)
            [sys.executable, "-I", "-S", str(_SCRIPT), _GRACE],
            stdin=reading,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=[lock_handle],
        )
        os.close(reading)

    def lives(self) -> bool:
        """Say whether it is there; one that was killed must be called again and told everything."""
        return self._process is not None and self._process.poll() is None

    def remember(self, group: int) -> None:
        """Have this process group ended with the supervisor; 0 is the group of a process that waits for its restart."""
        if group:
            self._tell(f"+{group}\n")

    def forget(self, group: int) -> None:
        """This process group is gone."""
        self._tell(f"-{group}\n")

    def dismiss(self) -> None:
        """Let it bury what it still remembers, and wait until it is gone."""
        self._hang_up()
        if self._process is not None:
            self._process.wait()

    def _tell(self, line: str) -> None:
        with suppress(BrokenPipeError):  # it was killed; whoever watches calls another one
            os.write(self._pipe, line.encode())

    def _hang_up(self) -> None:
        if self._pipe >= 0:
            os.close(self._pipe)
            self._pipe = -1
