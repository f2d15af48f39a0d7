"""A program for the supervisor's tests: supervises two children until it is told to end.

Arguments: the folder. It prints "ready" once both are up.
"""

import sys
from pathlib import Path

from hq.demo.probes import writes
from hq.demo.processes import ProcessSpec
from hq.demo.supervisor import Supervisor

# A server with a worker of its own, which outlives a server that is killed
PARENT = """
import subprocess, sys, time
worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("worker", worker.pid, flush=True)
print("up", flush=True)
time.sleep(600)
"""
# One that does not end when it is asked to
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
time.sleep(600)
"""


def spec(name: str, code: str, *, grace: float = 10.0, restart: bool = True, ready_within: float = 20.0) -> ProcessSpec:
    """A process that runs this Python code and is ready when it printed "up"."""
    return ProcessSpec(
        name=name,
        argv=(sys.executable, "-c", code),
        env={"MARK": name},
        ready=writes("up"),
        ready_within=ready_within,
        restart=restart,
        grace=grace,
    )


def say(line: str) -> None:
    """Print at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Supervise until told to end."""
    folder = Path(sys.argv[1])
    grace = float(sys.argv[2])
    with Supervisor(folder=folder, var=folder / "var", say=say) as supervisor:
        supervisor.start(spec("parent", PARENT), spec("stubborn", STUBBORN, grace=grace))
        supervisor.announce("desk at http://127.0.0.1:1")
        say("ready")
        supervisor.run_until_interrupted()
    say("ended")


if __name__ == "__main__":
    main()
