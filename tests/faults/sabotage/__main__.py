"""`python -m tests.faults.sabotage [NAME ...]`: take guards away, one at a time; each directed test must miss its own."""

import argparse
import os
import subprocess
import sys

from tests.faults.sabotage.guards import GUARDS
from tests.faults.sabotage.plugin import NAMES


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="some of the guards; all of them by default")
    parser.add_argument("--list", action="store_true", help="their names")
    given = parser.parse_args()
    if given.list:
        sys.stdout.write("".join(f"{guard.name}\n" for guard in GUARDS))
        return 0
    wanted = [guard for guard in GUARDS if not given.names or guard.name in given.names]
    unknown = set(given.names) - {guard.name for guard in wanted}
    if unknown or not wanted:
        parser.error(f"no such guard: {', '.join(sorted(unknown))}")
    tests = sorted({guard.test for guard in wanted})
    names = "|".join(guard.name for guard in wanted)
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "tests.faults.sabotage.plugin", "--show-capture=no"]
    return subprocess.run([*command, *tests], env={**os.environ, NAMES: names}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
