"""`python -m tests.faults.schedules --count N --seed S [--store memory] [--jobs J] [--replay SEED]`: the seeds from S on.

On PostgreSQL the code itself is played; in memory its decisions and its table of moves, some hundred times as fast.
"""

import argparse
import json
import logging
import subprocess
import sys
import time

from django.db import connection

from tests.faults.schedules.memory.play import run as run_in_memory
from tests.faults.schedules.running import run
from tests.faults.schedules.seeds import KEPT, KEPT_IN_MEMORY
from tests.faults.schedules.tally import Tally


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="processes, each with a database of its own")
    parser.add_argument("--store", choices=("postgres", "memory"), default="postgres")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="on PostgreSQL: begin no schedule after so long")
    parser.add_argument("--replay", type=int, action="append", help="this seed alone; may be given again")
    parser.add_argument("--kept", action="store_true", help="the seeds that once failed")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    given = parser.parse_args()
    logging.disable(logging.WARNING)
    started = time.monotonic()
    if given.jobs > 1:
        tally = _shared(given)
    else:
        kept = KEPT_IN_MEMORY if given.store == "memory" else KEPT
        seeds = given.replay or (list(kept) if given.kept else range(given.seed, given.seed + given.count))
        tally = run_in_memory(seeds) if given.store == "memory" else _played(list(seeds), given)
    if given.part:
        sys.stdout.write(tally.written() + "\n")
        return 0
    again = f"python -m tests.faults.schedules --store {given.store} --replay"
    for seed, violations in sorted(tally.failed.items()):
        sys.stdout.write(f"seed {seed}: {'; '.join(violations)}\n    {again} {seed}\n")
    told = {**tally.as_json(), "store": given.store, "first_seed": given.seed, "seconds": round(time.monotonic() - started, 1)}
    sys.stdout.write(json.dumps(told) + "\n")
    return 1 if tally.failed or tally.vacuous else 0


def _played(seeds: list[int], given: argparse.Namespace) -> Tally:
    """In a test database of this program's own."""
    settings = connection.settings_dict
    settings["TEST"]["NAME"] = f"test_{settings['NAME']}_schedules{'_' + given.part if given.part else ''}"
    connection.creation.create_test_db(verbosity=0, autoclobber=True, keepdb=True)
    return run(seeds, minutes=given.minutes)


def _shared(given: argparse.Namespace) -> Tally:
    """The same seeds over several processes."""
    share = -(-given.count // given.jobs)
    command = [sys.executable, "-m", "tests.faults.schedules", "--store", given.store, "--minutes", str(given.minutes)]
    parts = []
    for job in range(given.jobs):
        start = given.seed + job * share
        own = ["--seed", str(start), "--count", str(min(share, given.seed + given.count - start)), "--part", str(job + 1)]
        parts.append(subprocess.Popen([*command, *own], stdout=subprocess.PIPE, text=True))
    tally = Tally()
    for process in parts:
        told, _ = process.communicate()
        if process.returncode:
            raise SystemExit(process.returncode)
        tally.add(Tally.read(told.splitlines()[-1]))
    return tally


if __name__ == "__main__":
    sys.exit(main())
