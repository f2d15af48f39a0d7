"""`python -m tests.faults.kills [--refunds N] [--seed S] [--no-redis] [--minutes M] [--report FILE]`: the hub under fire.

Real workers, PostgreSQL, Redis, simulator, web and sweeps, none of them anybody else's; the last line of stdout is the report.
Exits 1 when something did not hold, or when the faults did not really happen.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from tests.faults.kills.options import read_options
from tests.faults.kills.running import run
from tests.faults.own_hub import become_the_hub, environments_of, tear_down


def main() -> int:
    options = read_options()
    if options.folder is None:
        become_the_hub("tests.faults.kills")
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


def say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
