"""A process that hangs in a call to Vipps ends; one that refuses to start unsafely says why; and everybody nudges."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import celery
import pytest

PROJECT = Path(__file__).resolve().parents[2]

WATCHED = """
import logging, sys, time
import django
django.setup()
from refunds.gateway import calls_in_flight
from hq.watchdog import watch_calls
logging.basicConfig(stream=sys.stderr, force=True)
watch_calls(longest=2.0)
calls_in_flight[1] = time.monotonic() - float(sys.argv[1])
time.sleep(float(sys.argv[2]))
"""


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=PROJECT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "hq.settings"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.processes
def test_a_call_that_hangs_ends_the_process() -> None:
    started = time.monotonic()
    done = run(WATCHED, "1.5", "40")
    assert done.returncode == 70
    assert time.monotonic() - started < 30
    assert "a call to Vipps is" in done.stderr


@pytest.mark.processes
def test_a_call_that_takes_its_time_is_left_alone() -> None:
    done = run(WATCHED, "-60", "3.5")
    assert done.returncode == 0, done.stderr
    assert "a call to Vipps" not in done.stderr


@pytest.mark.processes
@pytest.mark.parametrize(
    ("process", "arguments", "said"),
    [
        ("worker", ("worker", "--pool", "threads", "--concurrency", "1"), "The worker cannot open keys"),
        ("beat", ("beat", "--pidfile=", "--schedule", "{var}/schedule"), "SECRET_KEY is missing"),
    ],
)
def test_celery_refuses_to_start_without_its_keys(process: str, arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    missing = {"VAULT_PRIVATE_KEYS": "", "SECRET_KEY": "" if process == "beat" else "set"}
    done = subprocess.run(
        [sys.executable, "-m", "celery", "-A", "hq.celery", *(each.format(var=tmp_path) for each in arguments)],
        cwd=PROJECT,
        env={**os.environ, **missing, "PROCESS": process, "VAR_DIR": str(tmp_path), "REDIS_URL": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert said in done.stderr


def test_every_thread_publishes_through_the_hubs_own_app() -> None:
    seen: list[str] = []
    thread = threading.Thread(target=lambda: seen.append(str(celery.current_app.main)))
    thread.start()
    thread.join()
    assert seen == ["refund_hub"]
