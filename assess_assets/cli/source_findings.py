"""The examinations of `assess doctor` that are about customers: landed, registered, with topics.

Belongs here: what no run reads, and who is not registered. Nothing is made, not even DAGSTER_HOME.
"""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from assess_assets.cli.customers import PARTITIONS, told
from assess_assets.cli.deployment import dagster_instance, home_to_make, kafka_of
from assess_assets.cli.errors import CommandFailed
from assess_assets.cli.finding import CONNECT_SECONDS, Finding, some, unusable, unwritable
from assess_assets.cli.unfinished_runs import quiet_runs
from assess_assets.sources.landing_customers import landed_folders

if TYPE_CHECKING:
    from assess_assets.settings import Settings


def landing_findings(folder: Path) -> Iterator[Finding]:
    """How many files runs read, and what lies beside them and is read by none."""
    from assess_assets.sources.landing_files import SUFFIXES

    if not folder.is_dir():
        yield Finding(
            "warn",
            "landing",
            f"{folder} does not exist, so nothing is read",
            f"mkdir -p {folder}, set ASSESS_LANDING, or let the first `assess land` make it",
        )
        return
    try:
        folders = [folder / key for key in landed_folders(folder)[0]]
    except OSError as error:
        yield unusable("landing", str(folder), str(error))
        return
    read, refused = _listed(folders)
    for reason in refused:
        yield Finding("fail", "landing", reason, "give this user access to it")
    if not refused:
        yield Finding(
            "ok", "landing", f"{folder} can be read ({sum(map(len, read.values()))} files)"
        )
    unread = _unread(folder, read, set(folders))
    if unread:
        found = ", ".join(f"{count} {kind}" for kind, count in sorted(unread.items()))
        yield Finding(
            "warn",
            "unread entries",
            f"{found}. Read are regular files in a customer's own folder, and what a link leads to "
            "may be another customer's",
            f"assess land FILE --customer KEY; names end in {', '.join(SUFFIXES)}",
        )


def _listed(folders: list[Path]) -> tuple[dict[Path, set[Path]], list[str]]:
    """The files of each folder that runs read; and what they are refused."""
    from assess_assets.sources.landing_files import list_files
    from assess_assets.sources.ranges import SourceError

    read, refused = {}, []
    for folder in folders:
        try:
            files = set(list_files(folder).values())
        except SourceError as error:
            refused.append(str(error))
            continue
        if closed := sorted(file for file in files if not os.access(file, os.R_OK)):
            refused.append(f"Customer {folder.name}: this user can't read {some(closed)}")
        if os.access(folder, os.X_OK):  # else not even kinds of entries are told
            read[folder] = files
    return read, refused


def _unread(landing: Path, read: dict[Path, set[Path]], folders: set[Path]) -> Counter[str]:
    """Entries that no run reads, by kind. Hidden names and *.tmp are being written still."""
    from assess_assets.sample.load import TRUTH

    places = {landing: folders | {landing / TRUTH}, **read}
    kinds = [
        _kind(entry, landing)
        for place, expected in places.items()
        for entry in place.iterdir()
        if entry not in expected and not entry.name.startswith(".") and entry.suffix != ".tmp"
    ]
    return Counter(kind for kind in kinds if kind)


def _kind(entry: Path, landing: Path) -> str:
    in_root = entry.parent == landing
    if in_root and entry.is_dir():
        return ""  # a folder that is named like no customer is told as such
    if entry.is_symlink():
        return "symbolic links"
    if in_root:
        return "files in the landing folder itself"
    if entry.is_dir():
        return "subfolders"
    return "files of other names" if entry.is_file() else "entries that are no regular files"


def instance_findings(settings: "Settings") -> Iterator[Finding]:
    """Whether Dagster's instance opens, and who is not registered in it."""
    missing = home_to_make()
    try:
        if missing is not None:
            registered: set[str] = set()
            yield _no_home_yet(missing)
        else:
            with dagster_instance(makes_home=False) as instance:
                registered = set(instance.get_dynamic_partitions(PARTITIONS))
                yield Finding("ok", "dagster instance", f"{instance.root_directory} opens")
                for run in quiet_runs(instance):
                    yield Finding("warn", "runs", run.told, run.fix)
    except CommandFailed as error:
        yield Finding("fail", "dagster instance", error.what, error.fix)
        return
    try:
        landed, misnamed = landed_folders(settings.landing)
    except OSError:  # told as a finding about landing
        return
    if misnamed:
        found = f"landing folders that no run reads:\n{told(misnamed)}"
        yield Finding("fail", "customers", found, f"rename them, in {settings.landing}")
    new = [key for key in landed if key not in registered]
    if new:
        found = f"have landed files and are not registered: {', '.join(new)}"
        yield Finding("warn", "customers", found, "assess customers sync")
    elif not misnamed:
        yield Finding("ok", "customers", f"{len(registered)} registered, {len(landed)} landed")


def _no_home_yet(home: Path) -> Finding:
    there = "is empty" if home.exists() else "does not exist yet"
    parent = next(folder for folder in (home, *home.parents) if folder.exists())
    if reason := unwritable(parent):
        return Finding(
            "fail",
            "dagster instance",
            f"DAGSTER_HOME, {home}, {there}, and {parent} can't be written: {reason}",
            "give this user access to it, or set DAGSTER_HOME to another folder",
        )
    return Finding(
        "warn",
        "dagster instance",
        f"DAGSTER_HOME, {home}, {there}",
        "any command that lands or registers makes it, such as: assess customers sync",
    )


def kafka_finding(settings: "Settings") -> Finding:
    """Ask for the topics, as this deployment's user."""
    from assess_assets.customer_names import EVERYBODY, keys_among
    from assess_assets.sources.kafka_errors import KafkaNotConfigured, NotAuthorized
    from assess_assets.sources.kafka_topic import Broker, TopicState, topic_of
    from assess_assets.sources.ranges import SourceError

    try:
        config = kafka_of(settings)
        asked = Broker(config, EVERYBODY, timeout_seconds=CONNECT_SECONDS)
        customers, misnamed = asked.customers()
        user = config.client().get("sasl.username")
        known = registered()
        topics = {topic_of(key): key for key in keys_among(sorted(known))[0]}
        states = asked.look_at_all(list(topics))
    except (NotAuthorized, KafkaNotConfigured) as error:
        return Finding("fail", "kafka", str(error), "correct the client settings")
    except SourceError as error:
        return Finding("fail", "kafka", str(error), "start it, or set ASSESS_KAFKA")
    who = f"{settings.kafka} answers" + (f" {user}" if user else "")
    told, fixes = f"{who}, with topics of {len(customers)} customers", []
    if new := [key for key in customers if key not in known]:
        told += f"; not registered are {', '.join(new)}"
        fixes.append("assess customers sync")
    if misnamed:
        told += f"; no customer can have {', '.join(misnamed)}"
        fixes.append("make those topics anew, named by `assess customers`")
    for topic, state in states.items():
        if isinstance(state, TopicState) and (held := state.held_back):
            told += f"; a transaction that has not ended holds back {held} offsets of {topic}"
    if refused := [topics[one] for one in topics if isinstance(states[one], NotAuthorized)]:
        told += f"; it refuses to say whether {', '.join(refused)} have one: only files are read"
        fixes.append("grant DESCRIBE and READ on the topics of those who publish")
    return Finding("warn" if fixes else "ok", "kafka", told, "; ".join(fixes))


def registered() -> set[str]:
    """Nobody where there is no instance yet, or where it doesn't open, which is told by itself."""
    if home_to_make() is not None:
        return set()
    try:
        with dagster_instance(makes_home=False) as instance:
            return set(instance.get_dynamic_partitions(PARTITIONS))
    except CommandFailed:
        return set()
