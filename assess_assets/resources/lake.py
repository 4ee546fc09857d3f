"""The lake as a Dagster resource: settings in, `storage.lake.Lake` out. Time comes in here."""

from datetime import UTC, datetime
from pathlib import Path

from dagster import ConfigurableResource, ResourceDependency

from assess_assets.customers import Policies
from assess_assets.resources.spark import SparkEngine
from assess_assets.settings import Settings
from assess_assets.storage.lake import Lake
from assess_assets.storage.layout import LakeLayout


class LakeResource(ConfigurableResource):  # type: ignore[type-arg]
    """Where tables live, where files are delivered, and how much one run may claim."""

    engine: ResourceDependency[SparkEngine]
    root: str
    landing: str
    max_messages_per_run: int
    policies_file: str | None = None
    fixed_now: str | None = None  # ISO 8601, for tests and reproducible demos

    @classmethod
    def from_settings(cls, settings: Settings, engine: SparkEngine) -> "LakeResource":
        return cls(
            engine=engine,
            root=settings.lake,
            landing=str(settings.landing),
            max_messages_per_run=settings.max_messages_per_run,
            policies_file=str(settings.policies) if settings.policies else None,
        )

    @property
    def lake(self) -> Lake:
        return Lake(LakeLayout.of(self.root), lambda: self.engine.session, self.now)

    @property
    def policies(self) -> Policies:
        return Policies.load(Path(self.policies_file) if self.policies_file else None)

    def landing_folder(self, customer: str) -> Path:
        return Path(self.landing).expanduser().resolve() / customer

    def now(self) -> datetime:
        return datetime.fromisoformat(self.fixed_now) if self.fixed_now else datetime.now(UTC)
