"""What customers' sources hold that no run has dealt with, found without reading any message.

Belongs here: looking, for whoever starts runs by itself (the sensor, `assess follow`). Nothing is
claimed, made or written. What a run then claims is decided anew by that run.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from assess_assets.assets.assessment_topic import data_version
from assess_assets.assets.builds import running_versions
from assess_assets.customer_names import EVERYBODY
from assess_assets.resources.lake import LakeResource
from assess_assets.sources.batches import needs_broker
from assess_assets.sources.kafka import next_ranges
from assess_assets.sources.kafka_errors import NoAnswer
from assess_assets.sources.kafka_topic import Broker, TopicState, topic_of
from assess_assets.sources.landing import last_claims, refused_files
from assess_assets.sources.landing_customers import landed_folders
from assess_assets.sources.landing_files import FileStamp, folder_version, list_files
from assess_assets.sources.ranges import SourceError, SourceRange
from assess_assets.storage.builds import Build, Versions, latest_build
from assess_assets.storage.claims import claimed_batches, unlanded
from assess_assets.storage.delta import pin_existing
from assess_assets.storage.lake import Lake
from assess_assets.storage.protocol import Progress
from assess_assets.tables.contract import TableContract
from assess_assets.tables.fates import MESSAGE_LEDGER
from assess_assets.tables.ingest import BUILDS, RAW_MESSAGES, SOURCE_RANGES
from assess_assets.tables.reports import CUSTOMER_OVERVIEW, CUSTOMER_REPORT

UNTIL_RUN_IS_SEEN = timedelta(seconds=30)  # `assess rebuild` claims a build before its run starts


@dataclass(frozen=True)
class Sight:
    """A customer's sources at one moment, and what runs would make of them. `version` stays while
    nothing comes, goes or changes, and nobody claims another build."""

    customer: str
    version: str
    running: Versions
    build: Build | None = None
    is_left: bool = False  # by whoever claimed the build: its run would be seen by now
    topic: TopicState | NoAnswer | None = None
    overview: Callable[[], Mapping[str, Progress]] = dict  # how far the rows of all customers are
    problem: Exception | None = None  # why it could not be looked at


@dataclass(frozen=True)
class News:
    """What a run would be for. `key` is the same as long as no run has moved on."""

    customer: str
    key: str
    told: str


class WithSources(NamedTuple):
    """Keys with a landing folder or topic; what is no customer's, with the fix; and why nothing is
    known of topics, if so: customers that have only a folder don't wait for the broker."""

    keys: list[str]
    refused: list[str]
    silent: NoAnswer | None


def customers_with_sources(lake: LakeResource, broker: Broker | None) -> WithSources:
    """Who has something to be read, whether registered or not."""
    keys, misnamed = landed_folders(lake.landing_root)
    refused = [f"landing folder {name!a}: {fix}" for name, fix in misnamed.items()]
    silent = None
    if broker is not None:
        try:
            published, no_keys = broker.customers()
        except NoAnswer as error:
            published, no_keys, silent = [], [], error
        keys += published
        refused += [f"topic {name}: no customer has such a key" for name in no_keys]
    return WithSources(sorted(set(keys)), refused, silent)


def look_at_sources(
    lake: LakeResource,
    broker: Broker | None,
    customers: Sequence[str],
    silent: NoAnswer | None = None,
) -> list[Sight]:
    """All customers at once: one listing of each folder, four requests for all topics; none to a
    broker that is `silent`.

    What is wrong with one customer's sources or tables is its sight's problem, not the others'.
    """
    topics = {customer: topic_of(customer) for customer in customers}
    states: Mapping[str, TopicState | Exception | None] = {}
    if broker is not None:
        names = list(topics.values())
        states = dict.fromkeys(names, silent) if silent else broker.look_at_all(names)
    policies = lake.policies
    overview = cache(lambda: _overview(lake.lake))  # a table that grows with the customers: once
    return [
        _sight(lake, customer, running_versions(policies.of(customer)), states.get(topic), overview)
        for customer, topic in topics.items()
    ]


def _sight(
    lake: LakeResource,
    customer: str,
    running: Versions,
    state: TopicState | Exception | None,
    overview: Callable[[], Mapping[str, Progress]],
) -> Sight:
    try:
        silent = state if isinstance(state, NoAnswer) else None
        state = None if silent else state
        if isinstance(state, Exception):
            raise state
        folder = lake.landing_folder(customer)
        files = folder_version(folder)
        # Of a customer that was removed and comes back, all else may be as it was.
        made = folder.stat().st_ctime_ns if folder.is_dir() else 0
        build = _last_build(lake.lake, customer)
    except Exception as problem:
        return Sight(customer, "", running, problem=problem)
    claimed_at = build.claimed_at if build else None
    is_left = claimed_at is not None and lake.now() - claimed_at > UNTIL_RUN_IS_SEEN
    told = (
        f"{files} {made} {data_version(state)} {running} {build.number if build else 0} {is_left}"
    )
    version = hashlib.sha256(told.encode()).hexdigest()[:16]
    return Sight(customer, version, running, build, is_left, silent or state, overview)


def news_of(resource: LakeResource, sight: Sight) -> News | None:
    """What is unclaimed, or claimed and not in all tables; None if a run would find nothing.

    Raises the problem of the sight, if it has one; NoAnswer of a topic that is needed.
    """
    if sight.problem is not None:
        raise sight.problem
    lake, customer = resource.lake, sight.customer
    pinned = lake.pin_existing(SOURCE_RANGES, customer)
    batches = claimed_batches(pinned) if pinned else []
    claimed = [claim for batch in batches for claim in batch.ranges]
    files = _files_to_claim(resource, customer, claimed)
    offsets = _offsets_to_claim(resource, sight, claimed)
    told = [*([f"{files} files"] if files else []), *([offsets] if offsets else [])]
    raw = _progress(lake, RAW_MESSAGES, customer)
    ledger = _progress(lake, MESSAGE_LEDGER, customer)
    overviewed = sight.overview().get(customer, Progress())
    last = (_progress(lake, CUSTOMER_REPORT, customer), overviewed)
    if unlanded(batches, raw.highest_batch) or not _is_whole(raw, ledger, last):
        told.append("an unfinished batch")
    if (build := sight.build) is not None:
        if sight.is_left and 0 < ledger.lowest_build < build.number:
            told.append(f"build {build.number} is unfinished")
        told += sight.running.changes_since(build.versions)
        told += ["another policy"] if sight.running.contradicts(build.versions) else []
    if not told:
        return None
    batch = batches[-1].number if batches else 0
    return News(customer, f"{customer}/{batch}/{sight.version}", ", ".join(told))


def _is_whole(raw: Progress, ledger: Progress, last: Iterable[Progress]) -> bool:
    """The last tables are made from tables of one build and batch, or not at all."""
    upto = (ledger.highest_build, ledger.highest_batch)
    return raw.highest_batch == ledger.highest_batch and (
        not ledger.rows or all((one.highest_build, one.highest_batch) == upto for one in last)
    )


def _overview(lake: Lake) -> dict[str, Progress]:
    """How far each customer's row of the shared table is."""
    pinned = lake.pin_existing(CUSTOMER_OVERVIEW, EVERYBODY)
    rows = pinned.look_up("select customer, build, batch from pinned") if pinned else []
    return {row["customer"]: Progress(1, row["build"], row["build"], row["batch"]) for row in rows}


def _last_build(lake: Lake, customer: str) -> Build | None:
    """Asked of every customer in every round, so read again only if its log has changed."""
    uri = lake.layout.uri(BUILDS, customer)
    log = Path(uri.removeprefix("file://")) / "_delta_log"
    if not log.is_dir():  # not on this machine, or not there
        return _read_build(customer, uri)
    return _read_build_once(customer, uri, log.stat().st_mtime_ns)


def _read_build(customer: str, uri: str) -> Build | None:
    pinned = pin_existing(BUILDS, customer, uri)
    return latest_build(pinned) if pinned else None


@lru_cache(maxsize=10_000)
def _read_build_once(customer: str, uri: str, changed_ns: int) -> Build | None:
    return _read_build(customer, uri)


def _progress(lake: Lake, table: TableContract, customer: str) -> Progress:
    pinned = lake.pin_existing(table, customer)
    return lake.progress(pinned) if pinned else Progress()


def _files_to_claim(resource: LakeResource, customer: str, claimed: Sequence[SourceRange]) -> int:
    """Files that are new, that look changed, or that are claimed in part (they may be gone)."""
    files = list_files(resource.landing_folder(customer))
    last = last_claims(claimed)
    in_part = {source for source, claim in last.items() if not claim.is_last}
    # One that was given up and is there again has not been dealt with.
    read = {source: claim for source, claim in last.items() if claim.kind == "read"}
    known = refused_files(claimed) | read
    fresh = {
        source
        for source, path in files.items()
        if source not in known
        or FileStamp.claimed(known[source]) != FileStamp.of_status(path.stat())
    }
    return len(fresh | in_part)


def _offsets_to_claim(
    resource: LakeResource, sight: Sight, claimed: Sequence[SourceRange]
) -> str | None:
    if resource.kafka is None:
        return None
    customer, state = sight.customer, sight.topic
    if isinstance(state, NoAnswer):
        if needs_broker(resource.landing_folder(customer), customer, claimed):
            raise state
        return None
    most = resource.max_messages_per_run
    try:
        ranges = next_ranges(customer, topic_of(customer), state, claimed, most)
    except SourceError as error:
        return f"{type(error).__name__} at its topic"  # the run says what, and what to do
    count = sum(claim.messages for claim in ranges)
    return f"{count:,} offsets" if ranges else None
