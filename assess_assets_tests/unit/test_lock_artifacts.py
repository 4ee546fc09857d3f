"""artifacts.lock, which `make lock-artifacts` writes: all of that here but asking Maven."""

from assess_assets.platform.artifacts import LOCK, pinned
from assess_assets.platform.lock_artifacts import ROOTS, locked


def test_what_is_read_is_written_the_same_in_whatever_order_it_comes() -> None:
    assert locked(pinned()) == LOCK.read_text()
    assert locked(reversed(pinned())) == LOCK.read_text()


def test_the_lock_is_of_the_versions_that_are_asked_for() -> None:
    """A version that was changed in ROOTS alone is noticed: make lock-artifacts was forgotten."""
    found = {(one.component, one.coordinates) for one in pinned()}
    asked = {(root.component, one) for root in ROOTS for one in root.coordinates}
    assert asked <= found
    kept = {root.component: root.kept for root in ROOTS}
    assert all(coordinates.startswith(kept[component]) for component, coordinates in found)


def test_kafkas_log_speaks_the_slf4j_that_kafka_names() -> None:
    versions = {one.name: one.version for one in pinned() if one.component == "kafka"}
    assert versions["slf4j-simple"] == versions["slf4j-api"]
