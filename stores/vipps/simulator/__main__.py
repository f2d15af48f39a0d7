"""`python -m stores.vipps.simulator`: serves the simulator and its control API until it is told to end."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from stores.vipps.simulator.control import ROOT, Control
from stores.vipps.simulator.seeding import BadSeed, add_payments, put_merchants
from stores.vipps.simulator.server import serve
from stores.vipps.simulator.simulator import Simulator
from stores.vipps.simulator.switches import Switches
from stores.vipps.simulator.webhooks.sending import Sender


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 after SIGTERM or SIGINT, 1 when it could not start."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    try:
        config = json.loads(options.config.read_text("utf-8")) if options.config else {}
        switches = Switches()
        switches.change(config.get("switches", {}))
        simulator = Simulator(seed=options.seed, switches=switches, state=options.state)
        put_merchants(simulator, config)
        add_payments(simulator, config)
    except (OSError, BadSeed, ValueError, TypeError, AttributeError) as error:
        return _fail(f"cannot start: {error}")
    try:
        asyncio.run(_serve(simulator, options))
    except OSError as error:
        return _fail(f"cannot listen on {options.host}:{options.port}: {error.strerror or error}")
    finally:
        simulator.close()
    return 0


async def _serve(simulator: Simulator, options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    control = Control(simulator, is_open=options.open_control)
    sender = Sender(simulator.deliver_due)
    sender.start()
    try:
        await serve(
            control.answer,
            host=options.host,
            port=options.port,
            stop=stop,
            on_ready=lambda port: _say(f"ready: Vipps simulator on http://{options.host}:{port}{ROOT}/"),
        )
    finally:
        sender.stop()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m stores.vipps.simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8181, help="0 takes any free one (default: %(default)s)")
    parser.add_argument("--state", type=Path, help="file that carries everything over a restart")
    parser.add_argument("--config", type=Path, help="JSON with switches, sales_units, partners, accountants and payments")
    parser.add_argument("--seed", type=int, default=0, help="makes keys and chances repeatable")
    parser.add_argument(
        "--open-control", action="store_true", help="let other machines use the control API (in a closed network)"
    )
    return parser


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _fail(line: str) -> int:
    sys.stderr.write(f"{line}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
