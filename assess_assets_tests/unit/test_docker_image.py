"""The image can't be built here: its Dockerfile is held to the lock files and to what is there."""

import re
from pathlib import Path

import yaml
from sqlalchemy.engine import make_url

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "docker"
DOCKERFILE = (FOLDER / "Dockerfile").read_text()


def test_the_image_is_made_of_files_that_exist_and_are_sent() -> None:
    sent = (ROOT / ".dockerignore").read_text()
    for line in DOCKERFILE.splitlines():
        if line.startswith("COPY "):
            for source in line.split()[1:-1]:
                assert (ROOT / source).exists(), source
                assert any(source.startswith(kept) for kept in re.findall(r"(?m)^!(.*)", sent))


def test_every_package_of_the_image_is_pinned_once_and_by_its_hash() -> None:
    locked = _pinned_packages(ROOT / "requirements.lock")
    added = _pinned_packages(FOLDER / "requirements.txt")
    assert set(added) == {"dagster-postgres", "psycopg2-binary"}
    assert added["dagster-postgres"] == locked["dagster-pyspark"]  # of one release
    assert not set(added) & set(locked)
    installs = [line for line in DOCKERFILE.splitlines() if "pip install" in line]
    assert len(installs) == 2
    for install in installs:
        assert "--no-deps" in install, install
        assert "--require-hashes" in install or install.endswith("--no-build-isolation ."), install


def test_the_driver_that_postgres_is_asked_with_is_installed() -> None:
    """By its name: which one SQLAlchemy takes for "postgresql" changed with its 2.1."""
    storage = yaml.safe_load((FOLDER / "dagster.yaml").read_text())["storage"]["postgres"]
    driver = make_url(f"{storage['postgres_db']['scheme']}://").get_driver_name()
    assert f"{driver}-binary" in _pinned_packages(FOLDER / "requirements.txt")


def _pinned_packages(file: Path) -> dict[str, str]:
    """Name and version; each has a hash."""
    found = {}
    for entry in re.split(r"\n(?=\S)", file.read_text()):
        if not entry.startswith("#"):
            name, version = entry.split()[0].split("==")
            assert "--hash=sha256:" in entry, name
            found[name] = version
    return found
