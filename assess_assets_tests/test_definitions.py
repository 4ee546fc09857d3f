"""What Dagster is told: loads, partitions, policies, schema and lineage of every asset."""

from pathlib import Path

import dagster as dg
import pytest

from assess_assets.customers import CUSTOMERS, backfill_policy
from assess_assets.definitions import build_definitions, defs
from assess_assets.settings import Settings
from assess_assets.tables.registry import TABLES


@pytest.fixture(scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    folder: Path = tmp_path_factory.mktemp("definitions")
    return build_definitions(Settings(lake=str(folder / "lake"), landing=folder / "landing"))


def test_the_definitions_load(definitions: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(definitions)


def test_defs_is_lazy() -> None:
    assert not isinstance(defs, dg.Definitions)


def test_every_table_is_an_asset_partitioned_by_customer(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    for table in TABLES:
        node = graph.get(dg.AssetKey(table.name))
        assert node.partitions_def == CUSTOMERS
        assert node.backfill_policy == backfill_policy()
        assert node.group_name == table.group
        assert node.owners == ["team:assessment-data"]
        assert node.code_version


def test_every_asset_says_what_it_is_and_whose(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.description, key
        assert node.owners or node.metadata.get("owner"), key


def test_column_schema_and_lineage_are_those_of_the_contract(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    for table in TABLES:
        metadata = graph.get(dg.AssetKey(table.name)).metadata
        schema = metadata["dagster/column_schema"]
        columns = (schema.value if hasattr(schema, "value") else schema).columns
        assert [column.name for column in columns] == table.column_names
        lineage = metadata["dagster/column_lineage"]
        deps = (lineage.value if hasattr(lineage, "value") else lineage).deps_by_column
        assert set(deps) == {column.name for column in table if column.sources}


def test_every_upstream_of_the_contract_is_an_upstream_of_the_asset(
    definitions: dg.Definitions,
) -> None:
    graph = definitions.resolve_asset_graph()
    for table in TABLES:
        ancestors = graph.get_ancestor_asset_keys(dg.AssetKey(table.name))
        for upstream in table.upstream:
            siblings = graph.get_execution_set_asset_and_check_keys(dg.AssetKey(table.name))
            assert dg.AssetKey(upstream) in ancestors | siblings, f"{table.name} <- {upstream}"


def test_every_partitioned_check_is_partitioned_by_customer(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    assert graph.asset_check_keys
    for key in graph.asset_check_keys:
        assert graph.get(key).partitions_def == CUSTOMERS, key
