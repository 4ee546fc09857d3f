"""The lake as a Dagster resource: settings in, `storage.lake.Lake` out. Time comes in here."""

from datetime import UTC, datetime
from pathlib import Path

from dagster import ConfigurableResource, ResourceDependency

from assess_assets.customer_names import EVERYBODY
from assess_assets.customers import Policies
from assess_assets.resources.spark import SparkEngine, customers_side_by_side
from assess_assets.settings import Settings
from assess_assets.sources.batches import Sources
from assess_assets.sources.kafka_config import KafkaConfig
from assess_assets.sources.kafka_topic import Broker
from assess_assets.storage.hdfs_folders import HdfsFolders
from assess_assets.storage.lake import Lake
from assess_assets.storage.layout import LakeLayout


class LakeResource(ConfigurableResource):  # type: ignore[type-arg]
    """Where tables live, where messages come from, and how much one run may claim."""

    engine: ResourceDependency[SparkEngine]
    root: str
    landing: str
    max_messages_per_run: int
    webhdfs: str | None = None
    hadoop_user: str | None = None
    kafka_servers: str | None = None
    kafka_config_file: str | None = None
    policies_file: str | None = None
    fixed_now: str | None = None  # ISO 8601, for tests and reproducible demos

    @classmethod
    def from_settings(cls, settings: Settings, engine: SparkEngine) -> "LakeResource":
        return cls(
            engine=engine,
            root=settings.lake,
            landing=str(settings.landing),
            webhdfs=settings.webhdfs,
            hadoop_user=settings.hadoop_user,
            max_messages_per_run=settings.max_messages_per_run,
            kafka_servers=settings.kafka,
            kafka_config_file=str(settings.kafka_config) if settings.kafka_config else None,
            policies_file=str(settings.policies) if settings.policies else None,
        )

    @property
    def lake(self) -> Lake:
        layout = LakeLayout.of(self.root)
        return Lake(
            layout,
            lambda: self.engine.session,
            self.now,
            folders=HdfsFolders.of(self.webhdfs, self.hadoop_user)
            if layout.root.startswith("hdfs://")
            else None,
            workers=customers_side_by_side(self.engine.url),
            readers=lambda customer: self.policies.of(customer).hdfs_group or customer,
        )

    @property
    def policies(self) -> Policies:
        return Policies.load(Path(self.policies_file) if self.policies_file else None)

    @property
    def landing_root(self) -> Path:
        return Path(self.landing).resolve()

    def landing_folder(self, customer: str) -> Path:
        return self.landing_root / customer

    @property
    def kafka(self) -> KafkaConfig | None:
        """How to reach Kafka; None if the deployment has none."""
        if not self.kafka_servers:
            return None
        return KafkaConfig(self.kafka_servers, self.kafka_config_file)

    def sources_of(self, customer: str, broker: Broker | None = None) -> Sources:
        return Sources(customer, self.landing_folder(customer), self.kafka, broker)

    def broker(self, silent_seconds: float = 0.0) -> Broker | None:
        """For questions about all customers' topics; None if the deployment has no Kafka."""
        return Broker(self.kafka, EVERYBODY, silent_seconds=silent_seconds) if self.kafka else None

    def now(self) -> datetime:
        return datetime.fromisoformat(self.fixed_now) if self.fixed_now else datetime.now(UTC)
