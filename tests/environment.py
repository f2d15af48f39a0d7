"""The environment of every test run, set before Django reads its settings; loaded by pytest's `-p tests.environment`."""

import atexit
import base64
import os
import secrets
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from hq import embedded

PROJECT = Path(__file__).resolve().parent.parent
_started_here = False


def _key(kid: str) -> tuple[str, str]:
    """A fresh X25519 pair as the vault reads it: public line, private line."""
    private = X25519PrivateKey.generate()
    return (
        f"{kid}:{base64.b64encode(private.public_key().public_bytes_raw()).decode()}",
        f"{kid}:{base64.b64encode(private.private_bytes_raw()).decode()}",
    )


def _set_environment() -> None:
    global _started_here
    if not os.environ.get("DATABASE_URL"):
        _started_here = not embedded.is_running(PROJECT)
        os.environ["DATABASE_URL"] = embedded.ensure_running(PROJECT)
    if "VAULT_PRIVATE_KEYS" not in os.environ:
        os.environ["VAULT_PUBLIC_KEYS"], os.environ["VAULT_PRIVATE_KEYS"] = _key("test-1")
    for name in ("SECRET_KEY", "WEB_SEAL_KEY", "FINGERPRINT_KEY"):
        os.environ.setdefault(name, base64.b64encode(secrets.token_bytes(32)).decode())
    os.environ.setdefault("HTTPS_ONLY", "false")


_set_environment()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where nothing may be skipped, a skipped test fails the run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("NOTHING_MAY_BE_SKIPPED") and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_unconfigure() -> None:
    """Stop the embedded PostgreSQL, if this run started it."""
    stop_what_was_started()


def end_with_this_process() -> None:
    """The same for a program that is not pytest."""
    atexit.register(stop_what_was_started)


def stop_what_was_started() -> None:
    """The embedded PostgreSQL, if this process started it; somebody who becomes another program has to ask."""
    global _started_here
    if _started_here and "PYTEST_XDIST_WORKER" not in os.environ:
        _started_here = False
        embedded.stop(PROJECT)
