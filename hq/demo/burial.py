"""The undertaker's script: ends the processes of a supervisor that was killed. Nothing but the standard library.

The supervisor writes "+<pid>" and "-<pid>" lines to its standard input. The end of that input means that the supervisor
is gone, however it went: whatever still runs then is asked to end and, after the grace period, killed with its whole
process group. Unlike the kernel's parent-death signal this also reaches grandchildren, and works beyond Linux.
"""

import os
import signal
import sys
import time


def main() -> None:
    """Keep the list of process groups, and bury them at the end of input."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # whoever ends the hub in bulk must not end this first
    groups: set[int] = set()
    for line in sys.stdin:
        if line.startswith("+"):
            groups.add(int(line[1:]))
        elif line.startswith("-"):
            groups.discard(int(line[1:]))
    _bury(groups, grace=float(sys.argv[1]))


def _bury(groups: set[int], *, grace: float) -> None:
    for group in groups:
        _send(group, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while time.monotonic() < deadline and any(_lives(group) for group in groups):
        time.sleep(0.05)
    for group in groups:
        _send(group, signal.SIGKILL)


def _send(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return


def _lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    main()
