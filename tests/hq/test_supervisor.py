"""The supervisor: its processes come up together, come back when they crash, and never outlive it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # its stubs are a package of their own, for two calls
import pytest

from hq.demo.ports import free_port
from hq.demo.processes import ProcessSpec
from hq.demo.runlock import AlreadyRunning, RunLock
from hq.demo.supervisor import StartFailed, Supervisor
from tests.hq.supervised import PARENT, STUBBORN, spec

PROJECT = Path(__file__).resolve().parents[2]
STEADY = "import time; print('up', flush=True); time.sleep(600)"

pytestmark = pytest.mark.processes


def lives(pid: int) -> bool:
    """Running, and not just waiting to be reaped by somebody else."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def eventually(holds: Callable[[], bool], *, within: float = 15.0) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.05)
    return False


def worker_of(log: Path) -> int:
    return int(next(line.split()[1] for line in log.read_text().splitlines() if line.startswith("worker")))


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(tmp_path: Path, said: list[str]) -> Iterator[Supervisor]:
    with Supervisor(folder=tmp_path, var=tmp_path / "var", say=said.append) as supervisor:
        yield supervisor


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start the test program, which supervises "parent" (with a worker) and "stubborn"."""
    started: list[subprocess.Popen[str]] = []

    def start(*, grace: float = 0.3, await_ready: bool = True) -> subprocess.Popen[str]:
        argv = [sys.executable, "-m", "tests.hq.supervised", str(tmp_path), str(grace)]
        process = subprocess.Popen(argv, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        started.append(process)
        if await_ready:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=30)


def children_of(process: subprocess.Popen[str], *, undertakers: bool) -> list[int]:
    alive = [child for child in psutil.Process(process.pid).children() if lives(child.pid)]
    return [child.pid for child in alive if ("burial.py" in " ".join(child.cmdline())) is undertakers]


def family(process: subprocess.Popen[str], folder: Path) -> list[int]:
    """The two children and the worker of the first."""
    children = children_of(process, undertakers=False)
    assert len(children) == 2
    return [*children, worker_of(folder / "var/log/parent.log")]


def test_waits_until_ready_and_collects_the_output(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.start(spec("late", "import time; time.sleep(0.5); print('up', flush=True); time.sleep(600)"))

    assert (tmp_path / "var/log/late.log").read_text() == "up\n"
    assert lives(supervisor.pid_of("late"))


def test_a_process_gets_the_environment_of_its_spec_and_nothing_else(
    supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAULT_PRIVATE_KEYS", "not for the web")

    supervisor.start(spec("web", f"import os; print(sorted(os.environ), os.environ['MARK'], flush=True);{STEADY}"))

    log = (tmp_path / "var/log/web.log").read_text()
    assert "web" in log
    assert "VAULT_PRIVATE_KEYS" not in log


def test_ends_the_last_started_first(tmp_path: Path, said: list[str]) -> None:
    order = tmp_path / "order"
    code = f"""
import os, signal, sys, time
def end(*_):
    with open({str(order)!r}, "a") as file: file.write(os.environ["MARK"] + " ")
    time.sleep(0.2); sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("up", flush=True)
while True: time.sleep(1)
"""
    with Supervisor(folder=tmp_path, var=tmp_path / "var", say=said.append) as supervisor:
        supervisor.start(spec("database", code), spec("worker", code), spec("web", code))
        pids = [supervisor.pid_of(name) for name in ("database", "worker", "web")]

    assert order.read_text() == "web worker database "
    assert not any(lives(pid) for pid in pids)
    assert said == []


def test_starts_a_crashed_process_again_and_ends_what_it_left_behind(
    supervisor: Supervisor, said: list[str], tmp_path: Path
) -> None:
    supervisor.start(spec("web", PARENT))
    first, worker = supervisor.pid_of("web"), worker_of(tmp_path / "var/log/web.log")
    os.kill(first, signal.SIGKILL)

    assert eventually(lambda: (tmp_path / "var/log/web.log").read_text().count("up\n") == 2)
    assert supervisor.pid_of("web") != first
    assert not lives(worker)
    assert len(said) == 1
    assert said[0].startswith("web ended with -9; starting it again in 0.2 s")


def test_waits_longer_after_each_crash(supervisor: Supervisor, said: list[str]) -> None:
    supervisor.start(spec("worker", "print('up', flush=True); import time; time.sleep(0.3)"))

    assert eventually(lambda: len(said) >= 3)
    assert [line.partition(" in ")[2][:5] for line in said[:3]] == ["0.2 s", "0.4 s", "0.8 s"]


def test_leaves_a_process_that_is_not_to_be_restarted(supervisor: Supervisor, said: list[str]) -> None:
    supervisor.start(spec("once", "print('up', flush=True); import time; time.sleep(0.5)", restart=False))

    assert eventually(lambda: len(said) == 1)
    time.sleep(0.5)
    assert len(said) == 1
    assert said[0].startswith("once ended with 0 (see ")


def test_tells_the_last_words_of_a_process_that_ends_while_starting(tmp_path: Path, said: list[str]) -> None:
    with Supervisor(folder=tmp_path, var=tmp_path / "var", say=said.append) as supervisor:
        supervisor.start(spec("worker", STEADY))
        worker = supervisor.pid_of("worker")
        with pytest.raises(StartFailed, match=r"(?s)^web ended with 3\..*no vault key"):
            supervisor.start(spec("web", "print('no vault key'); raise SystemExit(3)"))

    assert not lives(worker)


def test_gives_up_on_a_process_that_never_gets_ready(supervisor: Supervisor) -> None:
    with pytest.raises(StartFailed, match=r"^web was not ready within 0\.5 seconds"):
        supervisor.start(spec("web", "import time; time.sleep(600)", ready_within=0.5))


def test_says_which_program_is_missing(supervisor: Supervisor) -> None:
    with pytest.raises(StartFailed, match=r"^web cannot be started: .*no-such-program"):
        supervisor.start(ProcessSpec(name="web", argv=("/no-such-program",), env={}))


def test_kills_one_that_does_not_end_when_asked(tmp_path: Path, said: list[str]) -> None:
    with Supervisor(folder=tmp_path, var=tmp_path / "var", say=said.append) as supervisor:
        supervisor.start(spec("stubborn", STUBBORN, grace=0.3))
        pid = supervisor.pid_of("stubborn")

    assert not lives(pid)
    assert said == ["stubborn did not end by itself and was killed."]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ends_everything_when_told_to(
    hub: Callable[..., subprocess.Popen[str]], tmp_path: Path, number: signal.Signals
) -> None:
    process = hub()
    everybody = [*family(process, tmp_path), *children_of(process, undertakers=True)]
    assert all(lives(pid) for pid in everybody)
    process.send_signal(number)

    out, _ = process.communicate(timeout=30)

    assert process.returncode == 0
    assert out.endswith("ended\n")
    assert not any(lives(pid) for pid in everybody)


def test_a_second_ctrl_c_does_not_wait_for_a_stubborn_one(
    hub: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    process = hub(grace=300)
    everybody = family(process, tmp_path)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)

    process.communicate(timeout=20)

    assert process.returncode == 0
    assert not any(lives(pid) for pid in everybody)


def test_leaves_no_orphans_when_it_is_killed_and_the_next_start_waits_for_them(
    hub: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    process = hub()
    everybody = [*family(process, tmp_path), *children_of(process, undertakers=True)]
    process.kill()
    process.wait()

    second = hub(await_ready=False)
    assert second.stdout is not None
    assert second.stdout.readline() == "The previous run was killed; waiting for its processes to end.\n"
    assert second.stdout.readline() == "ready\n"

    assert not any(lives(pid) for pid in everybody)


def test_a_killed_undertaker_is_replaced(hub: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
    process = hub()
    everybody = family(process, tmp_path)
    [first] = children_of(process, undertakers=True)
    os.kill(first, signal.SIGKILL)
    assert eventually(lambda: children_of(process, undertakers=True) not in ([first], []))
    time.sleep(0.3)  # until it has been told everything
    process.kill()
    process.wait()

    assert eventually(lambda: not any(lives(pid) for pid in everybody), within=20)


def test_a_second_start_says_who_runs_and_where(hub: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
    process = hub()
    second = hub(await_ready=False)
    out, _ = second.communicate(timeout=20)

    assert second.returncode != 0
    assert f"It already runs here: process {process.pid}, desk at http://127.0.0.1:1." in out
    assert all(lives(pid) for pid in family(process, tmp_path))


def test_the_lock_is_free_after_its_holder(tmp_path: Path, said: list[str]) -> None:
    with RunLock(tmp_path, say=said.append), pytest.raises(AlreadyRunning), RunLock(tmp_path, say=said.append):
        pass

    with RunLock(tmp_path, say=said.append):
        pass
    assert said == []


def test_a_taken_port_moves_to_the_next_and_says_so(said: list[str]) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        taken: int = listener.getsockname()[1]

        port = free_port(taken, say=said.append)

    assert port > taken
    assert said == [f"Port {taken} is taken; using {port}."]
    assert free_port(taken, say=said.append) == taken
    assert len(said) == 1


def test_a_port_taken_on_every_address_is_taken(said: list[str]) -> None:
    with socket.socket() as listener:
        listener.bind(("0.0.0.0", 0))  # noqa: S104 (the case under test)
        listener.listen()
        taken: int = listener.getsockname()[1]

        assert free_port(taken, say=said.append) != taken
