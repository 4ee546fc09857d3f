"""Landing files for many customers, as large as asked for, and the truth about every odd message.

Belongs here: which message of which file is of which kind, and writing both. Does not: the kinds
(`defects`), the messages (`templates`). Only a few hundred messages are held in memory.

Files are read in the order of their names, so a message that repeats another comes after it.
"""

import json
import random
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from assess_assets.sample.defects import FILE_KINDS, KINDS, FileKind, Kind
from assess_assets.sample.templates import Templates

DEFAULT_SEED: Final = 20180201
TRUTH: Final = "truth.ndjson"
MESSAGES_PER_FILE: Final = 25_000
ARRAY_MESSAGES: Final = 100  # of each customer, at most, come as one JSON array
EARLIER: Final = 200  # messages kept to be repeated, one of KEPT_EVERY
KEPT_EVERY: Final = 4
BUFFER_BYTES: Final = 1024 * 1024


class Truth(NamedTuple):
    """What must become of one message that is not just a good one."""

    kind: str
    customer: str
    file: str
    offset: int
    fate: str
    rule: str | None
    path: str | None


@dataclass
class LoadSummary:
    """What was written."""

    folder: Path
    customers: int
    messages: int = 0
    size_bytes: int = 0
    fates: Counter[str] = field(default_factory=Counter)


def write_load(
    folder: Path, attempts: int, customers: int, defects: float, seed: int = DEFAULT_SEED
) -> LoadSummary:
    """Write `<folder>/<customer>/*` and `<folder>/truth.ndjson`; the same bytes for the same seed.

    The customers share `attempts` messages evenly. Of these a share of `defects` is odd, of every
    kind in turn; and with any, there are files more that are bad as a whole, for each customer one
    at least and of each kind one at least.
    """
    if not 1 <= customers <= attempts or not 0 <= defects <= 0.9:
        raise ValueError("Give 1 or more customers, an attempt for each, and a share up to 0.9.")
    made = LoadSummary(folder, customers)
    rng = random.Random(f"{seed}/load")
    templates, kinds = Templates(rng), _in_turn(rng)
    files = [kind for kind in FILE_KINDS if not kind.is_large]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / TRUTH).open("w", encoding="utf-8", newline="\n") as truth:
        for number in range(customers):
            share = attempts * (number + 1) // customers - attempts * number // customers
            customer = _Customer(folder, number, made, rng, templates, kinds)
            bad = files[number % len(files) :: customers] if defects else []
            for told in customer.write(share, defects, bad):
                truth.write(json.dumps(told._asdict()) + "\n")
                made.fates[told.fate] += 1
    made.fates["accepted"] += made.messages - made.fates.total()
    return made


def _in_turn(rng: random.Random) -> Iterator[Kind]:
    """Every kind as often as every other, in an order that is new each time round."""
    kinds = [kind for kind in KINDS if not kind.is_large]
    while True:
        yield from rng.sample(kinds, len(kinds))


class _Customer:
    """One customer's files; what it yields is the truth about them."""

    def __init__(
        self,
        root: Path,
        number: int,
        made: LoadSummary,
        rng: random.Random,
        templates: Templates,
        kinds: Iterator[Kind],
    ) -> None:
        self._name = f"customer-{number + 1:04d}"
        self._folder = root / self._name
        self._made, self._rng, self._templates, self._kinds = made, rng, templates, kinds
        self._earlier: deque[bytes] = deque(maxlen=EARLIER)
        self._conflicts: deque[bytes] = deque(maxlen=EARLIER)

    def write(self, messages: int, defects: float, bad: list[FileKind]) -> Iterator[Truth]:
        self._folder.mkdir(exist_ok=True)
        in_array = min(ARRAY_MESSAGES, messages // 10)
        self._write_array("array.json", in_array)
        for part, first in enumerate(range(in_array, messages, MESSAGES_PER_FILE)):
            number = min(MESSAGES_PER_FILE, messages - first)
            yield from self._write_lines(f"lines-{part:04d}.ndjson", number, defects)
        for number, kind in enumerate(bad):
            name = f"odd-{number}.{kind.suffix}"
            content = kind.make(self._templates.message(), self._templates.message())
            (self._folder / name).write_bytes(content)
            self._count(name, len(kind.outcomes))
            for offset, outcome in enumerate(kind.outcomes):
                yield Truth(kind.name, self._name, name, offset, *outcome)

    def _write_array(self, name: str, messages: int) -> None:
        made = [self._templates.message() for _ in range(messages)]
        self._earlier.extend(made)
        (self._folder / name).write_bytes(b"[" + b",\n".join(made) + b"]\n")
        self._count(name, messages)

    def _write_lines(self, name: str, messages: int, defects: float) -> Iterator[Truth]:
        chance, message = self._rng.random, self._templates.message
        with (self._folder / name).open("wb", BUFFER_BYTES) as file:
            for offset in range(messages):
                line = message()
                # The first line tells what kind of file it is: it is a good one.
                if offset and chance() < defects:
                    kind, line = self._odd(line)
                    yield Truth(kind.name, self._name, name, offset, *kind.outcome)
                elif offset % KEPT_EVERY == 0:
                    self._earlier.append(line)
                file.write(line + b"\n")
        self._count(name, messages)

    def _odd(self, own: bytes) -> tuple[Kind, bytes]:
        """The next kind that can be had here, and a message of it."""
        for kind in self._kinds:
            known = self._conflicts if kind.repeats == "conflict" else self._earlier
            if not kind.repeats or known:
                break
        # Used once: two kinds that repeat the same message would change what each other is.
        earlier = known.popleft() if kind.repeats else b""
        made = kind.make(self._rng, own, earlier)
        if kind.outcome.fate == "conflict":
            self._conflicts.append(made)
        return kind, made

    def _count(self, name: str, messages: int) -> None:
        self._made.messages += messages
        self._made.size_bytes += (self._folder / name).stat().st_size
