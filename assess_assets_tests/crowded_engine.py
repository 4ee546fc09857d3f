"""Customers that land many files side by side, in a process of their own: it must not stand still.

Run as a program, with a folder. Prints how many messages each customer has.
"""

import sys
from pathlib import Path

from assess_assets.assets.raw_messages import land_customer
from assess_assets.resources.lake import LakeResource
from assess_assets.resources.spark import SparkEngine
from assess_assets.settings import Settings
from assess_assets.tables.ingest import RAW_MESSAGES

CUSTOMERS = [f"customer-{number}" for number in range(8)]
FILES, LINES = 60, 20


def main(folder: Path) -> None:
    settings = Settings(lake=str(folder / "lake"), landing=folder / "landing", spark="sail")
    for customer in CUSTOMERS:
        (settings.landing / customer).mkdir(parents=True)
        for file in range(FILES):
            lines = "".join(f'{{"{file}": "{line}{" " * 2000}"}}\n' for line in range(LINES))
            (settings.landing / customer / f"{file}.ndjson").write_text(lines)
    resource = LakeResource.from_settings(settings, SparkEngine(url=settings.spark))
    lake = resource.lake

    def land(customer: str) -> int:
        landed = land_customer(lake, resource.sources_of(customer), 1_000_000, "run")
        landed.messages.commit({})
        return lake.progress(lake.pin(RAW_MESSAGES, customer)).rows

    landed = lake.for_each(CUSTOMERS, land)
    landed.raise_failures()
    print(sorted(landed.values()))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
