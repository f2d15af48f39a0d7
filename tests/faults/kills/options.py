"""What a run was asked for on the command line."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from tests.faults.own_hub import FOLDER_OPTION


@dataclass(frozen=True, kw_only=True)
class Options:
    """`worker_kills` are SIGKILLs of workers; `each` is how often every other fault happens."""

    refunds: int
    seed: int
    minutes: float
    worker_kills: int
    each: int
    has_redis: bool
    latency: float
    settle: float
    report: Path | None
    folder: Path | None


def read_options(arguments: list[str] | None = None) -> Options:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.kills", description=__doc__)
    parser.add_argument("--refunds", type=int, default=500, help="wishes of the tills (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the wishes and of the faults (default: %(default)s)")
    parser.add_argument("--minutes", type=float, default=1.7, help="over which both are spread (default: %(default)s)")
    parser.add_argument("--worker-kills", type=int, default=6, help="SIGKILLs of a worker (default: %(default)s)")
    parser.add_argument("--each", type=int, default=1, help="times that every other fault happens (default: %(default)s)")
    parser.add_argument("--no-redis", action="store_true", help="no broker at all, from start to end")
    parser.add_argument("--latency-ms", type=float, default=60, help="to and from the simulator (default: %(default)s)")
    parser.add_argument("--settle", type=float, default=900, help="seconds until all must have ended (default: %(default)s)")
    parser.add_argument("--report", type=Path, help="file for the report, beside its line on stdout")
    parser.add_argument(FOLDER_OPTION, type=Path, help=argparse.SUPPRESS)
    told = parser.parse_args(arguments)
    return Options(
        refunds=told.refunds,
        seed=told.seed,
        minutes=told.minutes,
        worker_kills=told.worker_kills,
        each=told.each,
        has_redis=not told.no_redis,
        latency=told.latency_ms / 1000,
        settle=told.settle,
        report=told.report,
        folder=told.folder,
    )
