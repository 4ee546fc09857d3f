"""The synthetic sample has the published statistics, recomputed from the written file alone.

Belongs here: plain Python over the file's JSON, for two seeds, and the truth about the messy
delivery. Does not: the pipeline's answers about the sample.
"""

import json
import random
import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from assess_assets.sample.exams import REPEATED, Exam, exams, totals
from assess_assets.sample.messy import messy_lines, write_messy_delivery
from assess_assets.sample.published import INCOMPLETE
from assess_assets.sample.records import attempt, make_form
from assess_assets.sample.sample import DEFAULT_SEED, sample_records, write_sample

OTHER_SEED = 1
TEST_EXAM = "Example Exam For Development and Testing oh yeahsdf"
GENUINE = (  # one of the real messages, letter for letter
    '{"keen_timestamp":"1516746256.5878439","max_attempts":"1.0",'
    '"started_at":"2018-01-23T22:24:00.897Z",'
    '"base_exam_id":"e1f07fac-5566-4fdd-95e0-b6aa06fd5b50",'
    '"user_exam_id":"0f576abb-958a-4c08-a400-78daefa96dab","sequences":{"questions":[{'
    '"user_incomplete":false,"user_correct":true,"options":['
    '{"checked":false,"id":"9e54b46b-779c-40e6-9fbd-6c2dd801f377"},'
    '{"checked":true,"at":"2018-01-23T22:30:35.546Z","id":"f17535b9-46bb-400a-a769-c5d2d5fff6cf",'
    '"submitted":1,"correct":true},'
    '{"checked":false,"id":"f35165f9-4ceb-4b6f-b1aa-830fb3d861f9"},'
    '{"checked":false,"id":"d7caa749-8568-46a6-9dae-0730e5520664"}],"user_submitted":true,'
    '"id":"247b4589-7f8c-4a46-905c-63e0fa4731af","user_result":"correct"}],"attempt":1,'
    '"id":"5251db24-2a6e-4247-ab89-c277fb255405","counts":{"incomplete":0,"submitted":1,'
    '"incorrect":0,"all_correct":true,"correct":1,"total":1,"unanswered":0}},'
    '"keen_created_at":"1516746256.5878439","certification":"false",'
    '"keen_id":"5a67b610baff9000015bc9f6","exam_name":"Git Fundamentals for Web Developers"}'
)
OPTION_KEYS = {  # the five that occur, with whether such an option is checked
    ("checked", "id"): False,
    ("checked", "correct", "id"): False,
    ("checked", "at", "id"): False,
    ("checked", "at", "id", "submitted"): True,
    ("checked", "at", "id", "submitted", "correct"): True,
}


@dataclass
class Sample:
    """The written file, read back, and the views of it that several tests need."""

    seed: int
    content: bytes

    @cached_property
    def messages(self) -> list[dict[str, Any]]:
        loaded = json.loads(self.content)
        assert isinstance(loaded, list)
        return loaded

    @cached_property
    def counted(self) -> list[dict[str, Any]]:
        return [message for message in self.messages if "counts" in message["sequences"]]

    @cached_property
    def attempts(self) -> list[dict[str, Any]]:
        return list({message["user_exam_id"]: message for message in self.messages}.values())

    @cached_property
    def by_exam(self) -> dict[str, list[dict[str, Any]]]:
        groups = defaultdict(list)
        for message in self.messages:
            groups[message["base_exam_id"]].append(message)
        return groups

    def questions(self) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        for message in self.messages:
            for question in message["sequences"]["questions"]:
                yield message, question

    def named(self, name: str, *, attempts: bool = False) -> list[dict[str, Any]]:
        messages = self.attempts if attempts else self.messages
        return [message for message in messages if message["exam_name"] == name]


@pytest.fixture(scope="module", params=[DEFAULT_SEED, OTHER_SEED], ids=["default", "other seed"])
def sample(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Sample:
    path = tmp_path_factory.mktemp("sample") / "sample.json"
    summary = write_sample(path, seed=request.param)
    content = path.read_bytes()
    assert (summary.messages, summary.attempts) == (3280, 3242)
    assert summary.size_bytes == len(content)
    return Sample(request.param, content)


def counts(message: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = message["sequences"]["counts"]
    return found


def score(message: dict[str, Any]) -> float:
    correct, total = counts(message)["correct"], counts(message)["total"]
    assert isinstance(correct, int)
    assert isinstance(total, int)
    return correct / total


def mean_score(messages: list[dict[str, Any]]) -> float:
    return statistics.fmean(score(message) for message in messages)


def milliseconds(text: str) -> int:
    found = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.(\d{3})Z", text)
    assert found, text
    year, month, day, hour, minute, second, fraction = map(int, found.groups())
    days = (year - 2017) * 365 + sum((31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[: month - 1])
    return (((days + day) * 24 + hour) * 60 + minute) * 60_000 + second * 1000 + fraction


def answer_times(message: dict[str, Any]) -> list[int]:
    return [
        milliseconds(option["at"])
        for question in message["sequences"]["questions"]
        for option in question["options"]
        if "at" in option
    ]


# Determinism --------------------------------------------------------------------------------


def test_two_runs_write_the_same_bytes(sample: Sample, tmp_path: Path) -> None:
    write_sample(tmp_path / "again.json", seed=sample.seed)
    assert (tmp_path / "again.json").read_bytes() == sample.content


def test_another_seed_makes_up_other_attempts(sample: Sample) -> None:
    repeated = {each.user_exam_id for each in REPEATED}
    ids = {message["user_exam_id"] for message in sample.messages}
    assert ids & {message["user_exam_id"] for message in sample_records(seed=2)} == repeated


# Shape --------------------------------------------------------------------------------------


def test_every_message_has_the_shape_of_a_genuine_one(sample: Sample) -> None:
    genuine = json.loads(GENUINE)
    sequences = genuine["sequences"]
    for message in sample.messages:
        assert list(message) == list(genuine)
        keys = list(sequences) if "counts" in message["sequences"] else list(sequences)[:-1]
        assert list(message["sequences"]) == keys
        assert list(message["sequences"].get("counts", sequences["counts"])) == list(
            sequences["counts"]
        )
        for question in message["sequences"]["questions"]:
            assert list(question) == list(sequences["questions"][0])
            assert all(OPTION_KEYS[tuple(o)] == o["checked"] for o in question["options"])


def test_an_attempt_made_up_by_a_load_generator_has_that_shape_too() -> None:
    genuine = json.loads(GENUINE)
    rng = random.Random(1)
    form = make_form(rng, "Made Up", 5)
    made_up = [attempt(rng, form, 1_517_000_000_000 + second) for second in range(100)]
    for message in made_up:
        assert list(message) == list(genuine)
        assert list(message["sequences"]["counts"]) == list(genuine["sequences"]["counts"])
        times = answer_times(message)
        assert milliseconds(message["started_at"]) < min(times, default=10**15)
        for question in message["sequences"]["questions"]:
            assert all(OPTION_KEYS[tuple(o)] == o["checked"] for o in question["options"])
    assert len({message["user_exam_id"] for message in made_up}) == 100


def test_all_five_sets_of_option_keys_occur(sample: Sample) -> None:
    found = {tuple(option) for _, question in sample.questions() for option in question["options"]}
    assert found == set(OPTION_KEYS)


def test_the_file_is_one_compact_array_like_the_genuine_records(sample: Sample) -> None:
    compact = json.dumps(sample.messages, ensure_ascii=False, separators=(",", ":"))
    assert sample.content == compact.encode()


def test_numbers_and_booleans_are_texts_where_the_genuine_ones_are(sample: Sample) -> None:
    for message in sample.messages:
        assert message["max_attempts"] == "1.0"
        assert message["sequences"]["attempt"] == 1
        assert re.fullmatch(r"\d{10}\.\d{5,7}", message["keen_timestamp"])
        assert message["keen_created_at"] == message["keen_timestamp"]
        assert int(message["keen_id"][:8], 16) == int(float(message["keen_timestamp"]))
        assert re.fullmatch(r"[0-9a-f]{24}", message["keen_id"])


def test_correct_is_only_ever_true_and_submitted_only_one(sample: Sample) -> None:
    for _, question in sample.questions():
        for option in question["options"]:
            assert option.get("correct", True) is True
            assert option.get("submitted", 1) == 1


def test_options_agree_with_the_result_of_their_question(sample: Sample) -> None:
    for _, question in sample.questions():
        right = {o["id"] for o in question["options"] if "correct" in o}
        ticked = {o["id"] for o in question["options"] if o["checked"]}
        assert right
        if not ticked:
            expected = "unanswered"
        elif ticked == right:
            expected = "correct"
        else:
            expected = "missed_some" if ticked < right else "incorrect"
        assert question["user_result"] == expected
        assert question["user_correct"] == (expected == "correct")
        assert question["user_incomplete"] == (expected == "missed_some")
        assert question["user_submitted"] == (expected != "unanswered")


def test_counts_are_those_of_the_questions(sample: Sample) -> None:
    for message in sample.counted:
        results = Counter(q["user_result"] for q in message["sequences"]["questions"])
        total = results.total()
        assert counts(message) == {
            "incomplete": results["missed_some"],
            "submitted": total - results["unanswered"],
            "incorrect": results["incorrect"],
            "all_correct": results["correct"] == total,
            "correct": results["correct"],
            "total": total,
            "unanswered": results["unanswered"],
        }


def test_questions_and_options_are_shuffled_but_the_same_ones(sample: Sample) -> None:
    options: dict[str, set[frozenset[tuple[str, bool]]]] = defaultdict(set)
    orders: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for _, question in sample.questions():
        shown = [(option["id"], "correct" in option) for option in question["options"]]
        options[question["id"]].add(frozenset(shown))
        orders[question["id"]].add(tuple(option for option, _ in shown))
    assert all(len(variants) == 1 for variants in options.values())
    git = sample.named("Learning Git")
    assert {len(orders[q["id"]]) for q in git[0]["sequences"]["questions"]} == {24}
    assert len({tuple(q["id"] for q in m["sequences"]["questions"]) for m in git}) > 100


def test_sequences_id_belongs_to_the_form(sample: Sample) -> None:
    pairs = {(m["base_exam_id"], m["sequences"]["id"]) for m in sample.messages}
    assert len(pairs) == len({form for form, _ in pairs}) == len({s for _, s in pairs}) == 107


def test_answers_lie_between_the_start_and_the_record(sample: Sample) -> None:
    epoch = milliseconds("2017-01-01T00:00:00.000Z") - 1_483_228_800_000
    for message in sample.messages:
        recorded = float(message["keen_timestamp"]) * 1000 + epoch
        times = answer_times(message)
        assert milliseconds(message["started_at"]) < min(times, default=recorded)
        assert max(times, default=0) < recorded
        assert recorded - milliseconds(message["started_at"]) < 3 * 3_600_000


# The whole file -----------------------------------------------------------------------------


def test_the_file_has_3280_records(sample: Sample) -> None:
    assert len(sample.messages) == 3280


def test_103_names_and_107_base_exam_ids(sample: Sample) -> None:
    assert len({m["exam_name"] for m in sample.messages}) == 103
    assert len({m["base_exam_id"] for m in sample.messages}) == 107
    assert len({(m["base_exam_id"], m["exam_name"]) for m in sample.messages}) == 107


def test_four_names_have_two_base_exam_ids(sample: Sample) -> None:
    splits = {
        name: sorted(Counter(m["base_exam_id"] for m in sample.named(name)).values(), reverse=True)
        for name in {m["exam_name"] for m in sample.messages}
    }
    assert {name: split for name, split in splits.items() if len(split) > 1} == {
        "Introduction to Python": [122, 40],
        "Great Bash": [8, 6],
        "Being a Better Introvert": [8, 2],
        "Architectural Considerations for Hadoop Applications": [7, 3],
    }


def test_3242_attempts_and_20_of_them_repeated(sample: Sample) -> None:
    assert len(sample.attempts) == 3242
    assert len({m["keen_id"] for m in sample.messages}) == 3242
    assert len({json.dumps(m) for m in sample.messages}) == 3242
    copies = Counter((m["user_exam_id"], m["base_exam_id"]) for m in sample.messages)
    repeated = {key: number for key, number in copies.items() if number > 1}
    assert repeated == {(r.user_exam_id, r.base_exam_id): r.messages for r in REPEATED}
    assert Counter(repeated.values()) == {3: 18, 2: 2}


def test_132_certifications_are_null_and_none_of_a_repeated_attempt(sample: Sample) -> None:
    assert Counter(m["certification"] for m in sample.messages) == {None: 132, "false": 3148}
    assert Counter(m["certification"] for m in sample.attempts) == {None: 132, "false": 3110}


def test_five_test_messages_have_no_counts(sample: Sample) -> None:
    without = [i for i, m in enumerate(sample.messages) if "counts" not in m["sequences"]]
    assert without == [883, 884, 885, 2855, 2857]
    assert {sample.messages[i]["base_exam_id"] for i in without} == {"example-id"}
    tests = sample.named(TEST_EXAM)
    assert len(tests) == 5
    assert all(len(message["sequences"]["questions"]) == 3 for message in tests)
    dates = sorted(message["started_at"][:10] for message in tests)
    assert (dates[0], dates[-1]) == ("2017-11-21", "2018-01-12")


def test_every_message_has_the_published_number_of_questions(sample: Sample) -> None:
    found = tuple(m["sequences"].get("counts", {}).get("total") for m in sample.messages)
    assert found == totals()


def test_the_first_ten_scores_are_the_published_ones(sample: Sample) -> None:
    found = [(counts(m)["correct"], counts(m)["total"]) for m in sample.messages[:10]]
    assert found[:5] == [(2, 4), (1, 4), (3, 4), (2, 4), (3, 4)]
    assert found[5:] == [(5, 5), (1, 1), (5, 5), (4, 4), (0, 5)]


def test_messages_published_one_by_one_are_in_their_place(sample: Sample) -> None:
    message = sample.messages[99]
    assert message["keen_id"] == "5a5fe86f8b8d730001eec4a6"
    assert message["keen_created_at"] == "1516234863.2837181"
    assert message["exam_name"] == "Refactor a Monolithic Architecture into Microservices"
    assert (counts(message)["correct"], counts(message)["all_correct"]) == (3, True)
    assert [(m["keen_id"], m["exam_name"]) for m in sample.messages[3278:]] == [
        ("5a3a3f6b8c7fa00001d2a03e", "I'm a Software Architect, Now What?"),
        ("5a3a3df2448eb200012a2efd", "Learning Linux System Administration"),
    ]


# Scores -------------------------------------------------------------------------------------


def test_sums_and_mean_of_the_scores(sample: Sample) -> None:
    assert sum(counts(m)["correct"] for m in sample.counted) == 9212
    assert sum(counts(m)["total"] for m in sample.counted) == 14702
    assert 100 * mean_score(sample.counted) == pytest.approx(62.65699745547047, rel=1e-11)


def test_standard_deviation_of_the_scores(sample: Sample) -> None:
    found = statistics.stdev(map(score, sample.counted))
    assert found == pytest.approx(0.31086692286170553, rel=1e-11)


def test_841_messages_and_827_attempts_are_all_correct(sample: Sample) -> None:
    found = Counter(m["sequences"].get("counts", {}).get("all_correct") for m in sample.messages)
    assert found == {True: 841, False: 2434, None: 5}
    attempts = [m for m in sample.attempts if "counts" in m["sequences"]]
    assert sum(counts(m)["all_correct"] for m in attempts) == 827


def test_1620_attempts_pass(sample: Sample) -> None:
    attempts = [m for m in sample.attempts if "counts" in m["sequences"]]
    assert sum(score(m) > 0.7 for m in attempts) == 1620


def test_messages_by_questions_and_incomplete_ones(sample: Sample) -> None:
    found = Counter((counts(m)["total"], counts(m)["incomplete"]) for m in sample.counted)
    expected = {(n, m): rows for n, group in INCOMPLETE.items() for m, rows in group.items()}
    assert {key: rows for key, rows in found.items() if key[1]} == expected
    ratios = Counter(round(counts(m)["incomplete"] / counts(m)["total"], 4) for m in sample.counted)
    assert (ratios[0.0], ratios[0.25], ratios[0.2], ratios[0.1]) == (2318, 457, 137, 4)


@pytest.mark.parametrize("exam", [e for e in exams() if not e.is_test], ids=lambda e: e.name)
def test_an_exam_has_its_published_figures(sample: Sample, exam: Exam) -> None:
    messages = sample.by_exam[exam.base_exam_id]
    assert {m["exam_name"] for m in messages} == {exam.name}
    assert {counts(m)["total"] for m in messages} == {exam.questions}
    dates = [m["started_at"][:10] for m in messages]
    attempts = {m["user_exam_id"]: m for m in messages}.values()
    first = [m["sequences"]["questions"][0]["user_correct"] for m in attempts]
    found = {
        "messages": len(messages),
        "correct": sum(counts(m)["correct"] for m in messages),
        "incomplete": sum(counts(m)["incomplete"] for m in messages),
        "unanswered": sum(counts(m)["unanswered"] for m in messages),
        "all_correct": sum(counts(m)["all_correct"] for m in messages),
        "all_incorrect": sum(counts(m)["incorrect"] == counts(m)["total"] for m in messages),
        "first_date": min(dates),
        "last_date": max(dates),
        "first_correct": sum(first),
    }
    for figure, value in found.items():
        published = getattr(exam, figure)
        assert published is None or str(published) == str(value), figure


def test_means_without_repetitions(sample: Sample) -> None:
    published = {
        "Learning C# Best Practices": 0.46206896551724147,
        "Introduction to Big Data": 0.6061643835616438,
        "Intermediate C# Programming": 0.5512820512820513,
        "Learning DNS": 0.631578947368421,
        "Learning C# Design Patterns": 0.6842105263157895,
        "Learning Git": 0.6738461538461538,
    }
    for name, mean in published.items():
        assert mean_score(sample.named(name, attempts=True)) == pytest.approx(mean, rel=1e-12)


@pytest.mark.parametrize(
    ("name", "rows", "percentage"),
    [
        ("Learning Git", 406, 68.2759),
        ("Intermediate Python Programming", 162, 50.9259),
        ("Beginning C# Programming", 131, 56.2977),
        ("Introduction to Big Data", 81, 64.506),
        ("Intermediate C# Programming", 55, 60.909),
        ("Learning C# Best Practices", 53, 46.415),
    ],
)
def test_a_join_on_the_keen_id_inflates_as_published(
    sample: Sample, name: str, rows: int, percentage: float
) -> None:
    messages = sample.named(name)
    copies = Counter(m["keen_id"] for m in messages)
    joined = [message for message in messages for _ in range(copies[message["keen_id"]])]
    assert len(joined) == rows
    assert 100 * mean_score(joined) == pytest.approx(percentage, abs=1e-3)


@pytest.mark.parametrize(
    ("name", "incorrect", "correct", "unanswered"),
    [
        ("Learning Git", 1.32, 3.38, 0.30),
        ("Introduction to Python", 1.13, 2.83, 0.26),
        ("Introduction to Java 8", 0.56, 4.38, 0.06),
        ("Intermediate Python Programming", 1.46, 2.05, 0.17),
        ("Learning to Program with R", 1.81, 3.81, 0.18),
        ("Introduction to Machine Learning", 0.83, 2.75, 0.01),
        ("Software Architecture Fundamentals Understanding the Basics", 1.41, 1.92, 0.29),
        ("Beginning C# Programming", 1.02, 2.22, 0.08),
        ("Learning Eclipse", 0.81, 3.53, 0.08),
        ("Learning Apache Maven", 1.00, 2.44, 0.16),
    ],
)
def test_average_counts_of_the_ten_largest_exams(
    sample: Sample, name: str, incorrect: float, correct: float, unanswered: float
) -> None:
    for key, average in (
        ("incorrect", incorrect),
        ("correct", correct),
        ("unanswered", unanswered),
    ):
        assert round(statistics.fmean(counts(m)[key] for m in sample.named(name)), 2) == average


def test_set_theory_has_one_wholly_incorrect_attempt_not_the_published_two(sample: Sample) -> None:
    messages = sample.named("An Introduction to Set Theory")
    assert sorted(counts(m)["correct"] for m in messages) == [0, 1, 1, 2, 2]
    assert sum(counts(m)["incorrect"] == 2 for m in messages) == 1


# Questions ----------------------------------------------------------------------------------


def test_14717_questions_were_shown_and_473_are_different(sample: Sample) -> None:
    keys = [(m["base_exam_id"], m["exam_name"], q["id"]) for m, q in sample.questions()]
    assert len(keys) == 14717
    assert len(set(keys)) == 473


def test_64_questions_were_never_answered_wrong(sample: Sample) -> None:
    submitted: Counter[str] = Counter()
    correct: Counter[str] = Counter()
    for _, question in sample.questions():
        submitted[question["id"]] += question["user_submitted"]
        correct[question["id"]] += question["user_correct"]
    assert sum(correct[q] == number > 0 for q, number in submitted.items()) == 64


def test_learning_git_by_position(sample: Sample) -> None:
    git = [message["sequences"]["questions"] for message in sample.named("Learning Git")]
    assert [sum(q[i]["user_correct"] for q in git) for i in range(5)] == [270, 270, 261, 264, 267]
    places = Counter(
        (len(questions[2]["options"]), place)
        for questions in git
        for place, option in enumerate(questions[2]["options"])
        if "correct" in option
    )
    assert places == {(4, 0): 101, (4, 1): 121, (4, 2): 91, (4, 3): 81}


@pytest.mark.parametrize(
    ("name", "results"),
    [
        ("A Practical Introduction to React.js", [(6, 3, 0), (3, 4, 2), (6, 3, 0), (6, 3, 0)]),
        ("Advanced Machine Learning", [(53, 14, 0), (29, 25, 13), (52, 13, 0), (60, 6, 0)]),
    ],
)
def test_results_by_question(
    sample: Sample, name: str, results: list[tuple[int, int, int]]
) -> None:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for message, question in sample.questions():
        if message["exam_name"] == name:
            found[question["id"]][question["user_result"]] += 1
    by_question = [(c["correct"], c["incorrect"], c["missed_some"]) for c in found.values()]
    assert sorted(by_question) == sorted(results)


# Time ---------------------------------------------------------------------------------------


def test_first_and_last_start(sample: Sample) -> None:
    starts = [message["started_at"] for message in sample.messages]
    assert min(starts) == "2017-11-21T00:42:08.990Z"
    assert max(starts) == "2018-01-28T19:17:53.796Z"


def test_messages_by_hour(sample: Sample) -> None:
    hours = Counter(int(message["started_at"][11:13]) for message in sample.messages)
    assert [hours[h] for h in range(12)] == [69, 71, 57, 64, 80, 87, 151, 139, 134, 126, 132, 162]
    assert [hours[h] for h in range(12, 18)] == [136, 217, 224, 211, 188, 192]
    assert [hours[h] for h in range(18, 24)] == [134, 145, 142, 204, 125, 90]


def test_the_five_busiest_dates(sample: Sample) -> None:
    dates = Counter(message["started_at"][:10] for message in sample.attempts)
    top = dates.most_common(6)
    assert dict(top[:5]) == {
        "2017-12-05": 123,
        "2017-12-11": 97,
        "2017-12-20": 91,
        "2017-12-18": 91,
        "2017-12-14": 84,
    }
    assert top[5][1] < 84


@pytest.mark.parametrize("unit", [1, 1000], ids=["milliseconds", "whole seconds"])
def test_mean_durations(sample: Sample, unit: int) -> None:
    answered = [message for message in sample.attempts if answer_times(message)]
    assert len(answered) == 3232
    from_start, from_first = [], []
    for message in answered:
        times = [time // unit for time in answer_times(message)]
        from_start.append(max(times) - milliseconds(message["started_at"]) // unit)
        from_first.append(max(times) - min(times))
    minutes = 60_000 / unit
    assert statistics.fmean(from_start) / minutes == pytest.approx(7.431079826732673, rel=1e-12)
    assert statistics.fmean(from_first) / minutes == pytest.approx(1.3742780528052805, rel=1e-12)


# The messy delivery -------------------------------------------------------------------------


def test_the_messy_delivery_is_the_same_each_time(tmp_path: Path) -> None:
    lines = write_messy_delivery(tmp_path / "globex.ndjson")
    assert lines == messy_lines()
    assert lines != messy_lines(seed=8)
    written = (tmp_path / "globex.ndjson").read_text(encoding="utf-8").splitlines()
    assert written == [line.text for line in lines]
    assert [line.index for line in lines] == list(range(len(lines)))


def test_the_messy_delivery_has_every_fate_and_eight_kinds_of_defect() -> None:
    lines = messy_lines()
    fates = Counter(line.fate for line in lines)
    assert fates == {"accepted": 38, "duplicate": 7, "conflict": 2, "quarantined": 8}
    assert len({line.kind for line in lines if line.fate == "quarantined"}) == 8


@pytest.mark.parametrize("seed", range(7, 12))
def test_fates_follow_from_the_order_of_the_messy_lines(seed: int) -> None:
    seen: dict[str, list[Any]] = defaultdict(list)
    for line in messy_lines(seed):
        if line.fate == "quarantined":
            continue
        message = json.loads(line.text)
        versions = seen[message["user_exam_id"]]
        fate = "duplicate" if message in versions else "conflict" if versions else "accepted"
        assert line.fate == fate, line.kind
        versions.append(message)


def test_the_good_lines_have_consistent_counts_and_one_line_contradicts_itself() -> None:
    for line in messy_lines():
        if line.fate == "quarantined":
            continue
        sequences = json.loads(line.text)["sequences"]
        results = Counter(question["user_result"] for question in sequences["questions"])
        agrees = all(
            sequences["counts"][key] == results[result]
            for key, result in (("correct", "correct"), ("incomplete", "missed_some"))
        )
        assert agrees == (line.kind != "counts contradict the detail")
