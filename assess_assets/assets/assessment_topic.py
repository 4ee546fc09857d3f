"""assessment_topic: how far each customer's Kafka topic goes, as an observable source."""

import json

import dagster as dg

from assess_assets.assets.each_customer import customers_of, observe_each
from assess_assets.assets.specs import customer_source, observation
from assess_assets.customer_names import keys_among
from assess_assets.resources.lake import LakeResource
from assess_assets.sources.kafka import current_source, next_offset
from assess_assets.sources.kafka_topic import (
    TIMEOUT_SECONDS,
    TopicState,
    topic_of,
)
from assess_assets.storage.claims import claimed_batches
from assess_assets.tables.ingest import SOURCE_RANGES

NO_TOPIC = "no topic"


@customer_source(
    name="assessment_topic",
    group_name="ingest",
    tags={"dagster/kind/kafka": "", "grain": "customer"},
)
def assessment_topic(
    context: dg.AssetExecutionContext, lake: LakeResource
) -> dg.DataVersionsByPartition:
    """One partition per customer: the messages published to its topic `assessments.<customer>`.

    The data version is the topic's id and end offsets; the metadata says how many offsets of each
    partition no batch has claimed yet, and how many more can't be read until a transaction before
    them ends, as `held_back`. Without ASSESS_KAFKA it never changes.
    """
    topics = [topic_of(customer) for customer in keys_among(customers_of(context))[0]]
    broker = lake.broker()
    states = broker.look_at_all(topics, patience_seconds=TIMEOUT_SECONDS) if broker else {}

    def look(customer: str) -> dg.AssetObservation:
        topic = topic_of(customer)
        state = states.get(topic)
        if isinstance(state, Exception):
            raise state
        lag = _lag(lake, customer, topic, state)
        return observation("assessment_topic", customer, data_version(state), lag)

    return observe_each(context, lake.lake, look)


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
    pinned = lake.lake.pin_existing(SOURCE_RANGES, customer)
    batches = claimed_batches(pinned) if pinned else []
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
        "held_back": state.held_back,
        "lag_per_partition": dg.MetadataValue.json({str(key): lag for key, lag in lags.items()}),
    }
