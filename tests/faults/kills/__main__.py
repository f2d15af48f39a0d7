"""`python -m tests.faults.kills [--refunds N] [--seed S] [--no-redis] [--minutes M] [--report FILE]`: the hub under fire.

Real workers, PostgreSQL, Redis, simulator, web and sweeps, none of them anybody else's; the last line of stdout is the report.
Exits 1 when something did not hold, or when the faults did not really happen.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from hq.demo.keys import make_keys
from tests.faults.kills.options import read_options
from tests.faults.kills.running import run
from tests.faults.kills.town import environments_of, tear_down


def main() -> int:
    options = read_options()
    if options.folder is None:
        _become_the_hub()
    folder: Path = options.folder or Path()
    try:
        report = run(options, environments=environments_of(os.environ, folder), say=say)
    except KeyboardInterrupt:
        return 130
    finally:
        tear_down(folder)
    if options.report is not None:
        options.report.write_text(report.as_json(indent=1) + "\n")
    sys.stdout.write(report.as_json() + "\n")
    if report.held:
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if report.held else 1


def _become_the_hub() -> None:
    """Settings are read once, at start: so this process replaces itself, with keys of its own and a folder for the run."""
    folder = Path(tempfile.mkdtemp(prefix="kills-"))
    environments = environments_of(os.environ, folder)
    make_keys(environments.keys)
    arguments = [sys.executable, "-m", "tests.faults.kills", *sys.argv[1:], "--folder", str(folder)]
    os.execve(sys.executable, arguments, environments.of("command"))  # noqa: S606 - itself


def say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
