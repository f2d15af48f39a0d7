"""What a process on this machine has used: processor time to the microsecond, and the most memory since it was asked."""

from __future__ import annotations

from pathlib import Path


def worker_of(pid: int) -> int:
    """Granian's worker: the child that serves, where the process has one."""
    children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return max((worker_of(child) for child in children), key=lambda child: _memory(child, "VmRSS"), default=pid)


def cpu_seconds(pid: int) -> float:
    """Of all its threads (Linux: schedstat counts nanoseconds, where `stat` counts ticks); 0 where there is none."""
    return sum(int(task.read_text().split()[0]) for task in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def forget_peak(pid: int) -> float:
    """Let the peak begin anew; gives the memory at present, MiB."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return _memory(pid, "VmRSS")


def peak(pid: int) -> float:
    """The most memory since then, MiB."""
    return _memory(pid, "VmHWM")


def _memory(pid: int, name: str) -> float:
    [line] = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith(f"{name}:")]
    return int(line.split()[1]) / 1024
