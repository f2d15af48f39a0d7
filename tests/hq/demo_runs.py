"""Running `manage.py demo` as somebody would: a process of its own, a folder of its own, and no server to lean on."""

import json
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
_KEYS = ("SECRET_KEY", "VAULT_PUBLIC_KEYS", "VAULT_PRIVATE_KEYS", "WEB_SEAL_KEY", "FINGERPRINT_KEY")
_SERVERS = ("DATABASE_URL", "REDIS_URL", "REDIS_CACHE_URL")


@dataclass(frozen=True, kw_only=True)
class DemoRuns:
    """Starts of the demo that share a folder, as they do when one stops it and starts it again."""

    var: Path
    port: int
    simulator_port: int
    servers: tuple[str, ...] = ()
    """Settings that name a server of the caller's which this demo shall use all the same, such as REDIS_URL."""

    def command(self, *more: str) -> list[str]:
        """A small chain, for speed; everything else is as by default."""
        ports = ("--port", str(self.port), "--simulator-port", str(self.simulator_port))
        return [sys.executable, "manage.py", "demo", *ports, "--stores", "6", "--orders", "240", *more]

    @property
    def environment(self) -> dict[str, str]:
        """What a newcomer's shell has: no key, and no server but those asked for."""
        hidden = {*_KEYS, *_SERVERS} - set(self.servers)
        return {name: value for name, value in os.environ.items() if name not in hidden} | {"VAR_DIR": str(self.var)}

    def once(self) -> dict[str, Any]:
        """The report of a run that held."""
        done = self.run("--once", "--json")
        assert done.returncode == 0, done.stderr
        report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return report

    def run(self, *more: str) -> subprocess.CompletedProcess[str]:
        """Run to the end."""
        return subprocess.run(
            self.command(*more),
            cwd=PROJECT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
            start_new_session=True,
        )

    def stay(self) -> "Staying":
        """Start it and wait until it says where to look."""
        log = self.var / "stay.out"
        with log.open("w") as out:
            process = subprocess.Popen(
                self.command(),
                cwd=PROJECT,
                env=self.environment,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + 180
        while "Ctrl-C ends it all" not in log.read_text() and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.1)
        return Staying(process=process, log=log)


@dataclass(frozen=True, kw_only=True)
class Staying:
    """A demo that stays until somebody ends it."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def said(self) -> str:
        return self.log.read_text()


def unused_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
