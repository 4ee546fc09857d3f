"""assessment_topic: how far each customer's Kafka topic goes, as an observable source."""

import json

import dagster as dg

from assess_assets.assets.each_customer import customers_of
from assess_assets.assets.specs import OWNERS, customer_source
from assess_assets.resources.lake import LakeResource
from assess_assets.sources.kafka import current_source, next_offset
from assess_assets.sources.kafka_topic import Broker, TopicState, topic_of
from assess_assets.storage.claims import claimed_batches
from assess_assets.tables.ingest import SOURCE_RANGES

NO_TOPIC = "no topic"


@customer_source(
    name="assessment_topic",
    group_name="ingest",
    tags={"dagster/kind/kafka": "", "grain": "customer"},
    metadata={"owner": OWNERS[0]},
)
def assessment_topic(
    context: dg.AssetExecutionContext, lake: LakeResource
) -> dg.DataVersionsByPartition:
    """One partition per customer: the messages published to its topic `assessments.<customer>`.

    The data version is the topic's id and end offsets; the metadata says how many offsets of each
    partition no batch has claimed yet. Without ASSESS_KAFKA it never changes.
    """
    for customer in customers_of(context):
        topic = topic_of(customer)
        state = Broker(lake.kafka, customer).look_at(topic) if lake.kafka else None
        context.log_event(
            dg.AssetObservation(
                asset_key="assessment_topic",
                partition=customer,
                metadata=_lag(lake, customer, topic, state),
                tags={"dagster/data_version": data_version(state)},
            )
        )
    return dg.DataVersionsByPartition({})  # its observations could carry no metadata


def data_version(state: TopicState | None) -> str:
    if state is None:
        return NO_TOPIC
    ends = json.dumps({number: marks.end for number, marks in state.partitions.items()})
    return f"{state.id} {ends}"


def _lag(
    lake: LakeResource, customer: str, topic: str, state: TopicState | None
) -> dict[str, dg.MetadataValue | str | int]:
    if state is None:
        return {"topic": f"{topic}: none"}
    batches = claimed_batches(lake.lake.pin(SOURCE_RANGES, customer))
    claimed = [claim for batch in batches for claim in batch.ranges]
    _, last = current_source(topic, state, claimed)
    lags = {
        number: marks.end - (next_offset(number, last) if last else marks.low)
        for number, marks in state.partitions.items()
    }
    return {
        "topic": topic,
        "topic_id": state.id,
        "lag": sum(lags.values()),
        "lag_per_partition": dg.MetadataValue.json({str(key): lag for key, lag in lags.items()}),
    }
