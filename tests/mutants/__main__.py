"""`python -m tests.mutants MODULE [--part I/N]`: every mutant of a module of refunds, and whether the tests notice it."""

import argparse
import json
import sys
import time
from importlib import import_module
from pathlib import Path

from tests import environment
from tests.mutants.making import mutants_of
from tests.mutants.meeting import are_content
from tests.mutants.suites import SAME, SUITES

for name in ("celery", "django.test", "hypothesis", "rest_framework"):
    import_module(name)  # heavy and not ours: loaded once, before the forks

FLOOR = 0.85
"""How many of the mutants that change something the tests must notice."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("module", choices=sorted(SUITES))
    parser.add_argument("--part", default="1/1", help="only every Nth mutant, from the Ith on")
    parser.add_argument("--seconds", type=int, default=120, help="a run of the tests that computes for longer has noticed")
    given = parser.parse_args()
    first, step = (int(number) for number in given.part.split("/"))
    environment.end_with_this_process()
    module, tests = f"refunds.{given.module}", SUITES[given.module]
    source = (Path("refunds") / f"{given.module}.py").read_text()
    started = time.monotonic()
    if not are_content(module, source, ("--create-db", *tests), seconds=given.seconds):
        sys.stderr.write("The tests are red without any mutant.\n")
        return 2
    same = SAME.get(given.module, {})
    chosen = list(mutants_of(source))[first - 1 :: step]
    survivors = []
    for mutant in chosen:
        if mutant.name not in same and are_content(module, mutant.source, tests, seconds=given.seconds):
            survivors.append(mutant)
            sys.stdout.write(f"survived, line {mutant.line}: {mutant.name}\n")
            sys.stdout.flush()
    count = sum(mutant.name not in same for mutant in chosen)
    killed = count - len(survivors)
    told = {
        "module": module,
        "part": given.part,
        "mutants": count,
        "killed": killed,
        "mean_the_same": len(chosen) - count,
        "share": round(killed / count, 4) if count else 1.0,
        "seconds": round(time.monotonic() - started, 1),
    }
    sys.stdout.write(json.dumps(told) + "\n")
    return 0 if killed >= FLOOR * count else 1


if __name__ == "__main__":
    sys.exit(main())
