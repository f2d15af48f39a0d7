"""The containers: who gets which key, and that every name they set is one the hub reads."""

import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[2]
HUB = {"migrate", "web", "worker", "sweep", "beat", "simulator"}
OPENS_KEYS = {"worker", "sweep"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((PROJECT / "docker/compose.yaml").read_text())
    return loaded


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = compose["services"]
    return found


def test_has_every_process_and_both_engines(services: dict[str, Any]) -> None:
    assert set(services) == HUB | {"postgres", "redis", "redis-cache"}


def test_only_worker_and_sweep_hold_the_private_keys(services: dict[str, Any]) -> None:
    assert {
        name for name, service in services.items() if "vault_private_keys" in service.get("secrets", [])
    } == OPENS_KEYS
    named = {name for name, service in services.items() if "private" in str(service.get("environment", {})).lower()}
    assert named == OPENS_KEYS


def test_only_the_web_holds_the_key_of_the_sign_in_secrets(services: dict[str, Any]) -> None:
    assert {name for name, service in services.items() if "web_seal_key" in service.get("secrets", [])} == {"web"}


def test_the_simulator_and_the_engines_hold_none_of_the_hubs_secrets(services: dict[str, Any]) -> None:
    assert services["postgres"]["secrets"] == ["postgres_password"]
    for name in ("simulator", "redis", "redis-cache"):
        assert "secrets" not in services[name]
        assert "environment" not in services[name]


def test_every_mounted_secret_is_named_to_the_process_and_declared(
    compose: dict[str, Any], services: dict[str, Any]
) -> None:
    for name, service in services.items():
        mounted = {f"/run/secrets/{secret}" for secret in service.get("secrets", [])}
        pointed = {value for key, value in service.get("environment", {}).items() if key.endswith("_FILE")}
        assert mounted == pointed, name
        assert set(service.get("secrets", [])) <= set(compose["secrets"])


def test_no_secret_is_written_in_the_file(services: dict[str, Any]) -> None:
    for service in services.values():
        for name in service.get("environment", {}):
            assert not re.search(r"(KEY|KEYS|PASSWORD|DATABASE_URL)$", name), name


def test_the_settings_read_every_name_the_containers_set(services: dict[str, Any]) -> None:
    read = set(re.findall(r'(?:env(?:\.\w+)?|text)\(\s*"([A-Z_]+)"', (PROJECT / "hq/settings.py").read_text()))
    assert "DATABASE_URL" in read
    for name in HUB & {name for name, service in services.items() if "environment" in service}:
        given = {key.removesuffix("_FILE") for key in services[name]["environment"]}
        assert given <= read, f"{name}: {sorted(given - read)}"


@pytest.mark.parametrize("name", sorted(HUB))
def test_the_hubs_containers_can_change_nothing_but_their_own_scratch(services: dict[str, Any], name: str) -> None:
    service = services[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert "volumes" not in service


def test_each_process_says_who_it_is(services: dict[str, Any]) -> None:
    told = {
        name: service["environment"]["PROCESS"] for name, service in services.items() if name in HUB - {"simulator"}
    }
    assert told == {"migrate": "command", "web": "web", "worker": "worker", "sweep": "sweep", "beat": "beat"}


def test_nothing_starts_before_the_tables_are_there(services: dict[str, Any]) -> None:
    for name in ("web", "worker", "sweep", "beat"):
        assert services[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
        assert services[name]["depends_on"]["postgres"] == {"condition": "service_healthy"}


def test_the_broker_never_forgets_and_is_not_the_cache(services: dict[str, Any]) -> None:
    broker = " ".join(services["redis"]["command"])
    assert "--maxmemory-policy noeviction" in broker
    assert "--appendonly yes" in broker
    urls = services["web"]["environment"]
    assert urls["REDIS_URL"] != urls["REDIS_CACHE_URL"]


def test_the_engines_are_reached_from_inside_only(compose: dict[str, Any], services: dict[str, Any]) -> None:
    assert compose["networks"]["inside"]["internal"] is True
    for name in ("postgres", "redis", "redis-cache"):
        assert services[name]["networks"] == ["inside"]
        assert "ports" not in services[name]


def test_the_image_does_not_run_as_root_and_carries_no_secret() -> None:
    dockerfile = (PROJECT / "docker/Dockerfile").read_text()
    last_stage = dockerfile.rpartition("\nFROM ")[2]
    assert re.search(r"^USER 10001:10001$", last_stage, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK .*\n.*/health/ready", last_stage, re.MULTILINE)
    assert not re.search(r"(?m)^ENV.*(SECRET|KEY|PASSWORD)", last_stage)
    copied = {word for line in re.findall(r"(?m)^COPY (?!--from)(.*)$", dockerfile) for word in line.split()[:-1]}
    let_in = {line[1:] for line in (PROJECT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert copied == let_in
    assert all((PROJECT / path).exists() for path in copied), copied


def test_makes_each_secret_once(tmp_path: Path, compose: dict[str, Any]) -> None:
    folder = tmp_path / "secrets"
    argv = [sys.executable, str(PROJECT / "docker/make_secrets.py"), str(folder)]

    subprocess.run(argv, check=True, capture_output=True)
    made = {path.name: path.read_text() for path in folder.iterdir()}
    subprocess.run(argv, check=True, capture_output=True)

    assert set(made) == set(compose["secrets"])
    assert {path.name: path.read_text() for path in folder.iterdir()} == made
    assert made["postgres_password"] in made["database_url"]
    assert made["vault_public_keys"].partition(":")[0] == made["vault_private_keys"].partition(":")[0]
    assert not any(text.endswith("\n") for text in made.values())
    assert stat.S_IMODE((folder / "vault_private_keys").stat().st_mode) == 0o400


def test_does_not_make_a_new_pair_beside_half_an_old_one(tmp_path: Path) -> None:
    (tmp_path / "vault_public_keys").write_text("vk-old:AAAA")
    argv = [sys.executable, str(PROJECT / "docker/make_secrets.py"), str(tmp_path)]

    done = subprocess.run(argv, check=False, capture_output=True, text=True)

    assert done.returncode == 1
    assert "belong together" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["vault_public_keys"]
