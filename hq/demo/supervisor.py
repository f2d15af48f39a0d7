"""Runs the hub's processes: starts them, waits until they are ready, restarts crashed ones, ends them all together."""

import signal
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from hq.demo.processes import Child, ProcessSpec
from hq.demo.runlock import RunLock
from hq.demo.undertaker import Undertaker

_BEAT = 0.1  # seconds between two looks at the processes
_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StartFailed(RuntimeError):
    """A process did not become ready; the text says which, why, and what it last wrote."""


class Supervisor:
    """`with Supervisor(folder=…, var=…, say=…) as supervisor: supervisor.start(*specs)`, in the main thread.

    Inside, SIGTERM and a closed terminal are the same as Ctrl-C: KeyboardInterrupt. Leaving it, for whatever reason,
    ends every process, the last started first; a second Ctrl-C meanwhile kills them. If the supervisor itself is
    killed, the undertaker ends them. Entering raises AlreadyRunning when another supervisor runs in the same `var`.
    """

    def __init__(self, *, folder: Path, var: Path, say: Callable[[str], None]) -> None:
        self._folder = folder
        self._logs = var / "log"
        self._say = say
        self._lock = RunLock(var, say=say)
        self._children: list[Child] = []
        self._guard = threading.Lock()  # over _children and the undertaker
        self._ending = threading.Event()
        self._hurried = False
        self._undertaker = Undertaker()
        self._watcher = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self._undo = ExitStack()

    def __enter__(self) -> Self:
        self._undo.enter_context(self._lock)
        for number in _ENDINGS:
            before = signal.getsignal(number)
            if number == signal.SIGHUP and before == signal.SIG_IGN:
                continue  # started by nohup: a closed terminal is not meant to end it
            self._undo.callback(signal.signal, number, before)
            signal.signal(number, _interrupt)
        self._undertaker.call(self._lock.children_handle)
        self._watcher.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for number in _ENDINGS:
            signal.signal(number, self._hurry)
        self._ending.set()
        self._watcher.join()
        for child in reversed(self._children):
            pid = child.pid
            if not child.end(hurry=lambda: self._hurried):
                self._say(f"{child.spec.name} did not end by itself and was killed.")
            self._undertaker.forget(pid)
        self._undertaker.dismiss()
        self._undo.close()

    def start(self, *specs: ProcessSpec) -> None:
        """Start these processes, then wait until each is ready; raises StartFailed when one is not."""
        started = [self._start(spec) for spec in specs]
        for child in started:
            self._wait_until_ready(child)

    def announce(self, where: str) -> None:
        """Write down for a second start where this one is to be found, for example "desk at http://…"."""
        self._lock.announce(where)

    def pid_of(self, name: str) -> int:
        """The number of the running process of that name."""
        return next(child.pid for child in self._children if child.spec.name == name)

    def run_until_interrupted(self) -> None:
        """Stay until Ctrl-C or SIGTERM."""
        with suppress(KeyboardInterrupt):
            while True:
                time.sleep(3600)

    def _start(self, spec: ProcessSpec) -> Child:
        child = Child(spec, folder=self._folder, log=self._logs / f"{spec.name}.log")
        with self._guard:
            self._children.append(child)  # first, so that a Ctrl-C in the next line still ends it
            try:
                self._launch(child)
            except OSError as error:
                raise StartFailed(f"{spec.name} cannot be started: {error}") from error
        return child

    def _launch(self, child: Child) -> None:
        child.start()
        self._undertaker.remember(child.pid)

    def _wait_until_ready(self, child: Child) -> None:
        spec = child.spec
        deadline = time.monotonic() + spec.ready_within
        while not spec.ready(child.log):
            code = child.ended()
            if code is not None or time.monotonic() > deadline:
                why = f"ended with {code}" if code is not None else f"was not ready within {spec.ready_within:g} seconds"
                raise StartFailed(f"{spec.name} {why}. The end of {child.log}:\n{child.last_words()}")
            time.sleep(_BEAT)
        child.is_ready = True

    def _watch(self) -> None:
        while not self._ending.wait(_BEAT):
            with self._guard:
                if not self._undertaker.lives():
                    self._undertaker.call(self._lock.children_handle)
                    for child in self._children:
                        self._undertaker.remember(child.pid)
                for child in self._children:
                    self._look_at(child)

    def _look_at(self, child: Child) -> None:
        if child.due is not None:
            if time.monotonic() >= child.due:
                self._relaunch(child)
            return
        code = child.ended()
        if code is None or not child.is_ready:
            return
        self._undertaker.forget(child.pid)
        child.kill_group()  # its own workers would keep its port
        if child.spec.restart:
            delay = child.plan_restart()
            self._say(f"{child.spec.name} ended with {code}; starting it again in {delay:.1f} s (see {child.log}).")
        else:
            child.is_ready = False
            self._say(f"{child.spec.name} ended with {code} (see {child.log}).")

    def _relaunch(self, child: Child) -> None:
        try:
            self._launch(child)
        except OSError as error:
            self._say(f"{child.spec.name} cannot be started: {error}; trying again in {child.plan_restart():.1f} s.")

    def _hurry(self, _number: int, _frame: FrameType | None) -> None:
        self._hurried = True


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
