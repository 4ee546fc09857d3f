"""The machine: random sequences of publish, run, crash, rebuild and two runs that overtake.

After each step every new version of every table is compared with the oracle. Does not belong
here: what must hold (`watching`, `oracle`), and how a run is stopped (`racing`).
"""

import tempfile
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from assess_assets.customers import CustomerPolicy
from assess_assets.storage.builds import OlderCode
from assess_assets.storage.delta import LostRace
from assess_assets.storage.protocol import UpstreamNotReady
from assess_assets_tests.deliveries import FORM, OTHER_FORM, changed, message, text
from assess_assets_tests.faults.racing import Race
from assess_assets_tests.faults.watching import Watch
from assess_assets_tests.steps import MADE, Steps

# What a delivery has beside a fresh attempt: so few that duplicates and conflicts are the rule.
POOL = {
    **{f"a{version}": text(message("a", version)) for version in range(3)},
    **{f"b{version}": text(message("b", version)) for version in range(2)},
    "c": text(message("c", form=OTHER_FORM)),
    "d": text(message("d")),
    "broken": "not JSON",
    "lacking": text({"user_exam_id": "a"}),
    "strange": text(
        changed("e", lambda made: made["sequences"]["questions"][0].update(user_result="maybe"))
    ),
    "empty": text(changed("f", lambda made: made["sequences"].update(questions=[]))),
}
SCENES_A_SEQUENCE = 3
ALLOWED = (LostRace, UpstreamNotReady, OlderCode)  # how a run may end that another got in the way

Action = tuple[str, ...]
_RUN = st.sampled_from(["first", "second"])
_WRITE = st.sampled_from([f"write {table}" for table in ("raw_messages", *MADE)])
_DELIVERY = st.lists(st.sampled_from(sorted(POOL)), min_size=1, max_size=2)
_PUBLISH = _DELIVERY.map(lambda names: ("publish", *names))
_NEWS = st.one_of(_PUBLISH, st.just(("rebuild",)), st.just(("new policy",)))
_TO_A_WRITE = st.tuples(st.just("advance"), _RUN, st.just("to"), _WRITE)
_ONE = st.one_of(
    _NEWS,
    *[_TO_A_WRITE] * 2,
    st.tuples(st.just("advance"), _RUN, st.just("by"), st.integers(1, 12).map(str)),
    st.tuples(st.just("crash"), _RUN),
    st.sampled_from([("run",), ("publish again",)]),
).map(lambda action: [action])


@st.composite
def overtaking(draw: st.DrawFn) -> list[Action]:
    """A run decides what to write; there is news, and another run comes as far, or past it."""
    decided = draw(_WRITE)
    return [
        draw(_PUBLISH),
        ("advance", "first", "to", decided),
        draw(_NEWS),
        draw(st.sampled_from([("advance", "second", "to", decided), ("run",)])),
        ("advance", "first", "to", "end"),
    ]


@st.composite
def crashing(draw: st.DrawFn) -> list[Action]:
    """A run crashes before a write, and the next one finishes what it left."""
    which = draw(_RUN)
    return [
        draw(_PUBLISH),
        ("advance", which, "to", draw(_WRITE)),
        ("crash", which),
        ("run",),
    ]


Scenes = st.SearchStrategy[list[Action]]
SCENES: Scenes = st.one_of(_ONE, overtaking(), crashing())


def policy(version: int) -> CustomerPolicy:
    return CustomerPolicy.model_validate({"version": version, "test_exam_ids": tested(version)})


def tested(version: int) -> frozenset[str]:
    """Each policy flags other exams, so that no two of them make the same rows."""
    return frozenset({(FORM if version % 2 else OTHER_FORM).base_exam_id})


class Customer:
    """A customer's lake and landing folder, and the watch over every version of its tables."""

    def __init__(self, spark: SparkSession, folder: Path, lake_uri: str | None = None) -> None:
        self.steps = Steps(spark, folder, policy(1), max_messages=4, lake_uri=lake_uri)
        self.files: dict[tuple[str, int], list[str]] = {}
        self.watch = Watch(self.steps.uri, self.files, tested)

    def publish(self, messages: list[str]) -> None:
        """Land a file of lines. One whose content has landed before will be refused."""
        name = f"{len(self.files):04}.ndjson"
        self.steps.land(name, "".join(f"{each}\n" for each in messages))
        self.files[name, 0] = messages

    def run_to_the_end(self) -> None:
        """Undisturbed runs until nothing is new: a bounded one takes some messages at a time."""
        while "raw_messages" in self.steps.run():
            self.watch.look()
        self.watch.require_complete()


class Machine:
    """Plays sequences of actions on a customer, up to two runs of whom are on their way."""

    def __init__(self, customer: Customer) -> None:
        self._customer = customer
        self._races: dict[str, Race] = {}

    def play(self, action: Action) -> None:
        """One step. Raises Violation, or what a run must never end with."""
        match action:
            case ("publish", *names):
                fresh = text(message(f"fresh {len(self._customer.files)}"))
                self._customer.publish([fresh, *(POOL[name] for name in names)])
            case ("publish again",) if self._customer.files:
                self._customer.publish(list(self._customer.files.values())[-1])
            case ("advance", which, "to", where):
                self._run(which).advance_to(where)
            case ("advance", which, "by", pauses):
                self._run(which).advance(int(pauses))
            case ("crash", which) if which in self._races:
                self._races.pop(which).crash()
            case ("run",):
                self._customer.run_to_the_end()
            case ("rebuild",):
                self._customer.steps.claim_rebuild()
            case ("new policy",):
                version = self._customer.steps.policy.version
                self._customer.steps.policy = policy(version + 1)
        self._bury()
        self._customer.watch.look()

    def crash(self) -> None:
        """All runs at once, as when the machine loses its power."""
        for race in self._races.values():
            race.crash()
        self._races.clear()

    def _run(self, which: str) -> Race:
        """A run that is on its way, or a new one."""
        if which not in self._races:
            self._races[which] = Race(self._customer.steps)
        return self._races[which]

    def _bury(self) -> None:
        for which in [which for which, race in self._races.items() if race.ended]:
            error = self._races.pop(which).error
            if error is not None and not isinstance(error, ALLOWED):
                raise error


@dataclass
class Explored:
    """What an exploration has done so far."""

    sequences: int = 0
    steps: int = 0
    versions: int = 0


def explore(
    spark: SparkSession,
    explored: Explored,
    steps: int,
    *,
    scenes: Scenes = SCENES,
    start: int = 0,
    shrink: bool = False,
    lakes: str | None = None,
) -> None:
    """Play sequences of that many steps in all, the same ones for the same `start`.

    What fails is raised, with its sequence as a note; `shrink` looks for the shortest that fails.
    `lakes` is the URI of a folder for the lakes, when they are not to be local.
    """
    numbers = count(1)

    def play(sequence: list[list[Action]]) -> None:
        if explored.steps >= steps:
            return
        explored.sequences += 1
        with tempfile.TemporaryDirectory(prefix="assess-model-") as folder:
            lake = f"{lakes}/{next(numbers)}" if lakes else None
            customer = Customer(spark, Path(folder), lake)
            machine = Machine(customer)
            try:
                for action in (action for scene in sequence for action in scene):
                    explored.steps += 1
                    machine.play(action)
                machine.crash()
                customer.run_to_the_end()
            finally:
                machine.crash()
                explored.versions += customer.watch.versions

    some = st.lists(scenes, min_size=SCENES_A_SEQUENCE, max_size=SCENES_A_SEQUENCE)
    bounded = settings(
        max_examples=steps,
        deadline=None,
        database=None,
        phases=[Phase.generate, *([Phase.shrink] if shrink else [])],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    seed(start)(bounded(given(some)(play)))()
