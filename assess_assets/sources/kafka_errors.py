"""What can be wrong with a topic or a broker: one named error for each thing an operator can mend.

Belongs here: the errors, and which of them a Kafka error code means. Does not: finding them out.
"""

import re
from collections.abc import Sequence
from typing import Final

from confluent_kafka import KafkaError, KafkaException

from assess_assets.sources.ranges import SourceError


class TopicOffsetsLost(SourceError):
    """Messages that were to be read next are no longer in the topic."""


class TopicRecreated(SourceError):
    """The topic has another id than the one whose messages were read."""


class TopicMissing(SourceError):
    """The topic whose messages were read is gone."""


class OffsetsWentBack(SourceError):
    """A partition ends before an offset that has been claimed."""


class MessageUnreadable(SourceError):
    """The broker serves a message, and the client can't unpack it, or finds it damaged.

    `batch`: the first offset of what a producer packed together with it, none of which can be read.
    """

    batch: int = 0


class NoAnswer(SourceError):
    """What a topic holds was not told. Who has only a landing folder is served all the same."""


class BrokerUnavailable(NoAnswer):
    """No broker answers, or one stopped answering."""


class NotAuthorized(NoAnswer):
    """The broker refuses who we are, or what we ask for."""


class KafkaNotConfigured(SourceError):
    """A topic is to be read and no broker is named, or its client settings can't be used."""


# Without GROUP_AUTHORIZATION_FAILED: a consumer asks for its group's coordinator even when it has
# no use for one. Nothing is joined or committed here, so a user needs no right to any group.
_REFUSED: Final = frozenset(
    {
        KafkaError._AUTHENTICATION,
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    }
)


def is_refusal(error: KafkaError) -> bool:
    """Whether the broker answered, and said no to this user."""
    return error.code() in _REFUSED


def as_kafka_error(error: KafkaException) -> KafkaError:
    """What a KafkaException carries."""
    carried = error.args[0]
    assert isinstance(carried, KafkaError)
    return carried


def refused_settings(file: str | None, error: KafkaError) -> KafkaNotConfigured:
    """The error for settings that the client itself refuses; it quotes names, and no secret."""
    where = f"{file} (ASSESS_KAFKA_CONFIG)" if file else "the variables ASSESS_KAFKA_CLIENT__*"
    return KafkaNotConfigured(
        f"Kafka's client settings can't be used: {error.str()}. Correct them in {where}. Their "
        "names are librdkafka's."
    )


def named_error(
    customer: str, topic: str, servers: str, error: KafkaError, reasons: Sequence[KafkaError] = ()
) -> SourceError:
    """The error to raise. `reasons` is what the client said meanwhile: a wrong password shows
    only there, while the call itself says that no broker could be reached."""
    refusal = next((each for each in (error, *reasons) if is_refusal(each)), None)
    if refusal is not None:
        return NotAuthorized(
            f"Customer {customer}: Kafka at {servers} refuses topic {topic}: {_lasting(refusal)}. "
            "Check the user and password in the file that ASSESS_KAFKA_CONFIG names, and that the "
            f"user may DESCRIBE and READ {topic} (to publish: WRITE and CREATE). Then run again."
        )
    # The client repeats itself, with other times: the call's own words, and two of the last.
    seen = {_plain(each): _lasting(each) for each in reasons if _plain(each) != _plain(error)}
    told = "; ".join([_lasting(error), *list(seen.values())[-2:]])
    if any(each.code() == KafkaError._SSL for each in (error, *reasons)):
        return BrokerUnavailable(
            f"Customer {customer}: no TLS connection to Kafka at {servers}: {told}. Set "
            "ssl.ca.location to the certificates (PEM) that have signed the broker's, in the file "
            "that ASSESS_KAFKA_CONFIG names, and run again. Nothing was skipped."
        )
    return BrokerUnavailable(
        f"Customer {customer}: Kafka at {servers} does not serve topic {topic}: {told}. Nothing "
        "was skipped or sent. Check that the broker runs and that ASSESS_KAFKA names it, and run "
        "again."
    )


def _lasting(error: KafkaError) -> str:
    """What it says, without after how many milliseconds: the same each time that it is asked."""
    return re.sub(r" \(after [^)]*\)", "", error.str())


def _plain(error: KafkaError) -> str:
    """The same, without where and any number."""
    return re.sub(r"^\S+: |\d+", "", _lasting(error))
