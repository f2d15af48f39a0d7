"""A run of the tests that meets a mutant: a fork in which one module is another, and no file has changed."""

import os
import resource
import signal
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType

import pytest

_SLOWEST = 20
"""How many times longer than its own computing a run may take, on a machine that has much else to do."""
_OURS = ("hq", "refunds", "stores")


class _Mutated(SourceFileLoader):
    """Loads the module's file with another text in it."""

    source = ""

    def get_code(self, fullname: str) -> CodeType:
        code = compile(self.source, self.path, "exec", dont_inherit=True)
        assert isinstance(code, CodeType)
        return code


class _Finder(MetaPathFinder):
    def __init__(self, module: str, source: str) -> None:
        self._module, self._source = module, source

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if fullname != self._module:
            return None
        spec = PathFinder.find_spec(fullname, path)
        assert spec is not None
        assert spec.origin is not None
        loader = _Mutated(fullname, spec.origin)
        loader.source = self._source
        spec.loader = loader
        return spec


def are_content(module: str, source: str, tests: Sequence[str], *, seconds: int) -> bool:
    """Whether those tests pass with that text as the module; one that computes for longer than so many seconds does not."""
    assert not any(name.split(".")[0] in _OURS and name.startswith(module.rpartition(".")[0]) for name in sys.modules)
    child = os.fork()
    if child == 0:
        os._exit(_run(module, source, tests, seconds))
    _pid, status = os.waitpid(child, 0)
    return status == 0


def _run(module: str, source: str, tests: Sequence[str], seconds: int) -> int:
    """In the child: silently, and ended by the system if it runs in circles, or waits for ever."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    signal.alarm(seconds * _SLOWEST)
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silence, stream)
    sys.meta_path.insert(0, _Finder(module, source))
    try:
        return int(pytest.main(["-q", "-x", "-n", "0", "--reuse-db", "-p", "no:cacheprovider", *tests]))
    except BaseException:
        return 1
