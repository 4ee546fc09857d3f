"""A program: materialize everything for one customer on a given engine, in a process of its own.

    python run_everything.py <engine> <lake> <landing> <customer>

A process has one engine, so comparing two takes two processes (`engine/test_engines_agree.py`).
"""

import sys
from pathlib import Path

import dagster as dg

from assess_assets.definitions import build_definitions
from assess_assets.settings import Settings


def main(engine: str, lake: str, landing: str, customer: str) -> None:
    settings = Settings.model_validate({"spark": engine, "lake": lake, "landing": Path(landing)})
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("customers", [customer])
        job = build_definitions(settings).resolve_implicit_global_asset_job_def()
        result = job.execute_in_process(instance=instance, partition_key=customer)
        assert result.success


if __name__ == "__main__":
    main(*sys.argv[1:])
