"""The processes of the demo, and how each shows that it is ready."""

import sys
from dataclasses import dataclass
from pathlib import Path

from hq.demo.environments import Environments
from hq.demo.probes import answers, writes
from hq.demo.processes import ProcessSpec

_CELERY = (sys.executable, "-m", "celery", "-A", "hq.celery")


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """Everything that runs, on two ports of this machine."""

    environments: Environments
    var: Path
    web_port: int
    simulator_port: int

    @property
    def hub_url(self) -> str:
        """Where people and store systems find the hub."""
        return f"http://127.0.0.1:{self.web_port}"

    @property
    def simulator_url(self) -> str:
        """Where the hub finds Vipps MobilePay."""
        return f"http://127.0.0.1:{self.simulator_port}"

    @property
    def simulator_state(self) -> Path:
        """The file that carries the simulator's payments over a restart."""
        return self.var / "simulator.jsonl"

    def database(self) -> ProcessSpec:
        """The embedded PostgreSQL; it listens on a Unix socket only."""
        return ProcessSpec(
            name="postgresql",
            argv=(sys.executable, "-m", "hq.embedded", "run"),
            env=self.environments.of_stranger(),
            ready=writes("postgresql://"),
            ready_within=180,  # initdb on a slow disk
            grace=45,
        )

    def simulator(self) -> ProcessSpec:
        """Vipps MobilePay, played; it holds no key of the hub."""
        program = (sys.executable, "-m", "stores.vipps.simulator")
        return ProcessSpec(
            name="simulator",
            argv=(*program, "--port", str(self.simulator_port), "--state", str(self.simulator_state)),
            env=self.environments.of_stranger(),
            ready=answers(f"{self.simulator_url}/_simulator/health"),
        )

    def hub(self) -> tuple[ProcessSpec, ...]:
        """Web, worker, sweep and beat; only worker and sweep can open keys."""
        for folder in ("broker/messages", "broker/control", "beat"):
            (self.var / folder).mkdir(parents=True, exist_ok=True)
        return (self._web(), self._worker(), self._sweep(), self._beat())

    def _web(self) -> ProcessSpec:
        server = (sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1")
        size = ("--port", str(self.web_port), "--workers", "1", "--blocking-threads", "4")
        return ProcessSpec(
            name="web",
            argv=(*server, *size, "hq.wsgi:application"),
            env=self.environments.of("web", PUBLIC_URL=self.hub_url),
            ready=answers(f"{self.hub_url}/health/ready"),
        )

    def _worker(self) -> ProcessSpec:
        quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat")
        return ProcessSpec(
            name="worker",
            argv=(*_CELERY, "worker", "--pool", "threads", "--concurrency", "16", *quiet),
            env=self._opener("worker"),
            ready=writes(" ready."),
            grace=20,  # a call to Vipps in flight may end
        )

    def _sweep(self) -> ProcessSpec:
        return ProcessSpec(
            name="sweep",
            argv=(sys.executable, "manage.py", "sweep"),
            env=self._opener("sweep"),
            ready=writes("sweep"),
            grace=20,
        )

    def _beat(self) -> ProcessSpec:
        schedule = str(self.var / "beat" / "schedule")
        return ProcessSpec(
            name="beat",
            argv=(*_CELERY, "beat", "--schedule", schedule, "--pidfile="),
            env=self.environments.of("beat"),
            ready=writes("Starting..."),
        )

    def _opener(self, process: str) -> dict[str, str]:
        addresses = {"VIPPS_BASE_URL_SIMULATOR": self.simulator_url, "PUBLIC_URL": self.hub_url}
        return self.environments.of(process, **addresses)
