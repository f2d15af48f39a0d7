"""The door to the embedded PostgreSQL: `python -m hq.embedded start|status|stop|run`."""

import argparse
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from hq.embedded.account import tell
from hq.embedded.errors import EmbeddedError
from hq.embedded.server import ensure_running, is_running, stop

_BASE = Path(__file__).resolve().parents[2]


def main() -> int:
    """Do one thing with the server; 0 when it is as asked for, 1 when not (for `status`: not running)."""
    parser = argparse.ArgumentParser(prog="python -m hq.embedded", description=__doc__)
    parser.add_argument("verb", choices=["start", "status", "stop", "run"])
    parser.add_argument("--base", type=Path, default=_BASE, help="the project's folder")
    chosen = parser.parse_args()
    base: Path = chosen.base
    var = Path(os.environ["VAR_DIR"]) if os.environ.get("VAR_DIR") and base == _BASE else None
    try:
        return _do(chosen.verb, base, var)
    except EmbeddedError as error:
        tell(str(error))
        return 1


def _do(verb: str, base: Path, var: Path | None) -> int:
    if verb == "start":
        _say(ensure_running(base, var=var))
    elif verb == "stop":
        _say("stopped" if stop(base, var=var) else "it was not running")
    elif verb == "run":
        _keep_running(base, var)
    else:
        running = is_running(base, var=var)
        _say("running" if running else "not running")
        return 0 if running else 1
    return 0


def _keep_running(base: Path, var: Path | None) -> None:
    """Keep the server up, starting it again should it be killed, and stop it on SIGTERM or Ctrl-C."""
    ending = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ending.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    _say(ensure_running(base, var=var))
    while not ending.wait(1):
        if not is_running(base, var=var):
            tell("the embedded PostgreSQL ended; starting it again.")
            ensure_running(base, var=var)
    stop(base, var=var)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
