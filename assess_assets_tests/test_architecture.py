"""The rules of the code base, as tests: import direction, charters, sizes, nothing at import."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import dagster as dg
import pytest
import yaml

from assess_assets.assets.registry import ASSETS
from assess_assets.tables.registry import TABLES

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "assess_assets"
MODULES = sorted(PACKAGE.rglob("*.py"))

# definitions -> automation, checks, assets -> transforms, sources, storage, ... -> tables, ...
LEVELS = {
    "sample": 0,
    "settings": 0,
    "versions": 0,
    "commands": 0,
    "dagster_storage": 0,
    "customer_names": 0,
    "customers": 0,
    "messages": 0,
    "tables": 0,
    "transforms": 1,
    "sources": 1,
    "storage": 1,
    "resources": 1,
    "reports": 1,
    "assets": 2,
    "checks": 2,
    "explain": 2,
    "automation": 2,
    "definitions": 3,
    "platform": 4,
    "cli": 4,
}


def _name(module: Path) -> str:
    return str(module.relative_to(ROOT))


def _part(dotted: str) -> str:
    """The part of the package that a module belongs to: `assess_assets.tables.x` -> `tables`."""
    return dotted.split(".")[1] if dotted.count(".") else ""


def _imports(module: Path) -> list[str]:
    found: list[str] = []
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append(node.module or "")
    return found


@pytest.mark.parametrize("module", MODULES, ids=_name)
def test_every_module_opens_with_its_charter(module: Path) -> None:
    docstring = ast.get_docstring(ast.parse(module.read_text()))
    assert docstring, "say in two or three lines what belongs here"


@pytest.mark.parametrize("module", MODULES, ids=_name)
def test_a_module_is_short(module: Path) -> None:
    assert len(module.read_text().splitlines()) <= 250


@pytest.mark.parametrize("module", MODULES, ids=_name)
def test_no_module_is_a_drawer_for_odds_and_ends(module: Path) -> None:
    assert module.stem not in {"utils", "util", "helpers", "helper", "common", "misc"}


@pytest.mark.parametrize("module", MODULES, ids=_name)
def test_imports_point_one_way(module: Path) -> None:
    own = _part(".".join(module.relative_to(ROOT).with_suffix("").parts))
    if own in {"", "__init__"}:
        return
    for imported in _imports(module):
        if imported.startswith("assess_assets."):
            assert LEVELS[_part(imported)] <= LEVELS[own], f"{own} imports {imported}"


@pytest.mark.parametrize("module", sorted((PACKAGE / "transforms").rglob("*.py")), ids=_name)
def test_transforms_know_no_dagster_no_kafka_and_no_paths(module: Path) -> None:
    foreign = {"dagster", "confluent_kafka", "pathlib", "deltalake"}
    inner = ("assess_assets.storage", "assess_assets.sources", "assess_assets.resources")
    for imported in _imports(module):
        assert imported.split(".")[0] not in foreign
        assert not imported.startswith(inner)


@pytest.mark.parametrize("module", MODULES, ids=_name)
def test_only_settings_reads_the_configuration_from_the_environment(module: Path) -> None:
    """Commands may ask for DAGSTER_HOME, which is Dagster's, not ours."""
    calls = [node for node in ast.walk(ast.parse(module.read_text())) if isinstance(node, ast.Call)]
    reads = {ast.unparse(call.func) for call in calls} & {"os.getenv", "os.environ.get"}
    assert not reads or module.parent.name == "cli"


def test_importing_the_definitions_starts_nothing() -> None:
    """No engine, no socket, no file: only names are defined."""
    program = (
        "import socket, sys\n"
        "def refuse(*_): raise AssertionError('a socket was opened')\n"
        "socket.socket.connect = socket.socket.bind = refuse\n"
        "import assess_assets.definitions\n"
        "assert 'pysail' not in sys.modules, 'Sail was loaded'\n"
        "from pyspark.sql import SparkSession\n"
        "assert SparkSession._instantiatedSession is None\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin"},
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_assets_of_a_table_are_called_like_it_and_open_with_its_grain() -> None:
    described = {
        key.path[-1]: description or ""
        for asset in ASSETS
        if isinstance(asset, dg.AssetsDefinition)
        for key, description in asset.descriptions_by_key.items()
    }
    for table in TABLES:
        assert described[table.name].startswith(table.grain), table.name


def test_every_source_column_of_every_column_exists() -> None:
    columns = {table.name: set(table.column_names) for table in TABLES}
    for table in TABLES:
        for column in table:
            for source in column.sources:
                upstream, name = source.split(".")
                assert name in columns[upstream], f"{table.name}.{column.name} from {source}"


def test_an_asset_fits_on_a_screen() -> None:
    for module in sorted((PACKAGE / "assets").glob("*.py")):
        for node in ast.parse(module.read_text()).body:
            if isinstance(node, ast.FunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                assert length <= 50, f"{module.name}: {node.name} has {length} lines"


def test_workspace_and_pyproject_name_the_same_code_location() -> None:
    workspace = yaml.safe_load((ROOT / "workspace.yaml").read_text())
    location = workspace["load_from"][0]["python_module"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["dg"]["project"]
    assert location["module_name"] == project["code_location_target_module"]
    assert location["location_name"] == project["code_location_name"]
    assert project["root_module"] == "assess_assets"


def test_the_lock_file_pins_with_hashes_and_names_no_index() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    pinned = [line for line in lock.splitlines() if line and not line.startswith((" ", "#"))]
    assert len(pinned) > 50
    assert all("==" in line for line in pinned)
    assert "--index-url" not in lock
    assert "--find-links" not in lock
    assert "://" not in lock
    assert lock.count("--hash=sha256:") >= len(pinned)


def test_nothing_reads_the_shared_notes() -> None:
    for module in [*MODULES, *sorted((ROOT / "assess_assets_tests").rglob("*.py"))]:
        if module != Path(__file__):
            assert "shared/" not in module.read_text(), module
