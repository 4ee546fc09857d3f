"""Answers: on the sample they are the published ones, and on any delivery what Python counts.

Figures are quoted from what others published about the real file. The sample says which of those it
does not reproduce (assess_assets/sample/sample.py).
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from statistics import mean, stdev
from typing import Any

import dagster as dg
import pytest
from pyspark.sql import SparkSession

from assess_assets.sample.exams import exams as published_exams
from assess_assets.sample.messy import messy_lines
from assess_assets.sample.sample import write_sample
from assess_assets.storage.protocol import UpstreamNotReady
from assess_assets.transforms.answers.answer import Answers
from assess_assets.transforms.answers.exam_figures import UnknownExam
from assess_assets_tests.conftest import Platform
from assess_assets_tests.deliveries import changed, lines, message

TEST_EXAM = "Example Exam For Development and Testing oh yeahsdf"
HOSTILE_EXAM = "A | B\n<script>alert('x')</script> \"Ü\" 試験"


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession) -> Iterator[Platform]:
    """The sample of acme, the messy delivery of globex, and nobody's nothing."""
    with dg.DagsterInstance.ephemeral() as instance:
        platform = Platform(tmp_path_factory.mktemp("answered"), instance)
        platform.register("nobody")
        sample = platform.land("acme", "attempts.json", "")
        write_sample(sample)
        messy = [line.text for line in messy_lines()]
        hostile = changed("hostile", lambda each: each.update(exam_name=HOSTILE_EXAM))
        platform.land("globex", "delivery.ndjson", lines(*messy, hostile))
        for customer in ("acme", "globex", "nobody"):
            assert platform.materialize(customer).success
        yield platform


@pytest.fixture(scope="module")
def acme(answered: Platform) -> Answers:
    return answered.answers("acme")


PUBLISHED = {
    # by message, by attempt
    "messages": (3280, None),
    "attempts": (3280, 3242),
    "test_attempts": (5, 5),
    "repeated": (58, 20),
    "messages_per_attempt": (None, 1.0117211597779148),
    "duplicates": (38, None),
    "conflicts": (0, None),
    "quarantined": (0, None),
    "exam_names": (103, 103),
    "exam_names_without_test": (102, 102),
    "base_exam_ids": (107, 107),
    "base_exam_ids_without_test": (106, 106),
    "scored": (3275, 3237),
    "all_correct": (841, 827),
    "distinct_questions": (473, 473),
    "never_wrong": (64, 64),
    "exam_taken": (394, 390),
    "first_start": ("2017-11-21T00:42:08.990Z", "2017-11-21T00:42:08.990Z"),
    "last_start": ("2018-01-28T19:17:53.796Z", "2018-01-28T19:17:53.796Z"),
}
MESSAGES_BY_HOUR = (
    *(69, 71, 57, 64, 80, 87, 151, 139, 134, 126, 132, 162),
    *(136, 217, 224, 211, 188, 192, 134, 145, 142, 204, 125, 90),
)
PUBLISHED_BY_MESSAGE = {
    "questions_correct": 9212,
    "questions_total": 14702,
    "questions_shown": 14717,
    "average_score": 62.65699745547047,
    "ratio_of_sums": 62.65814174942185,
    "score_stddev": 31.086692286170553,
    "attempts_per_exam": 31.844660194174757,
    "exam_all_correct": 130,
    "exam_share_correct": 100 * 1332 / 1970,
}
PUBLISHED_BY_ATTEMPT = {
    "passing": 1620,
    "passing_share": 49.9691548426897,
    "minutes_until_last": 7.431079826732673,
    "minutes_between": 1.3742780528052805,
    "exam_average_score": 67.38461538461538,
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_answer_comes_out_in_both_countings(acme: Answers, name: str) -> None:
    found = acme[name]
    assert (found.by_message, found.by_attempt) == pytest.approx(PUBLISHED[name], abs=1e-12)


@pytest.mark.parametrize("name", PUBLISHED_BY_MESSAGE)
def test_an_answer_published_over_messages_comes_out(acme: Answers, name: str) -> None:
    assert acme[name].by_message == pytest.approx(PUBLISHED_BY_MESSAGE[name], abs=1e-9)


@pytest.mark.parametrize("name", PUBLISHED_BY_ATTEMPT)
def test_an_answer_published_without_duplicates_comes_out(acme: Answers, name: str) -> None:
    assert acme[name].by_attempt == pytest.approx(PUBLISHED_BY_ATTEMPT[name], abs=1e-9)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("times_sent", {"1": (3222, 3222), "2": (4, 2), "3": (54, 18)}),
        ("certification", {"false": (3148, 3110), "not said": (132, 132)}),
    ],
)
def test_counts_by_label_are_the_published_ones(
    acme: Answers, name: str, expected: dict[str, Any]
) -> None:
    found = {row["label"]: (row["messages"], row["attempts"]) for row in acme[name].rows}
    assert found == expected


@pytest.mark.parametrize(
    ("name", "counting", "expected"),
    [
        (
            "lengths",
            "messages",
            {"not said": 5, "1": 56, "2": 21, "3": 239, "4": 1646, "5": 940, "6": 122, "7": 177}
            | {"8": 59, "10": 14, "20": 1},
        ),
        (
            "hours",
            "messages",
            {f"{hour:02}": messages for hour, messages in enumerate(MESSAGES_BY_HOUR)},
        ),
        (
            "busiest_days",
            "attempts",
            {"2017-12-05": 123, "2017-12-11": 97, "2017-12-20": 91, "2017-12-18": 91}
            | {"2017-12-14": 84},
        ),
    ],
)
def test_distributions_are_the_published_ones(
    acme: Answers, name: str, counting: str, expected: dict[str, int]
) -> None:
    assert {row["label"]: row[counting] for row in acme[name].rows} == expected


def test_the_most_popular_exams_are_the_published_ones(acme: Answers) -> None:
    found = [(row["exam"], row["messages"], row["attempts"]) for row in acme["most_popular"].rows]
    assert found == [
        ("Learning Git", 394, 390),
        ("Introduction to Python", 162, 162),
        ("Intermediate Python Programming", 158, 156),
        ("Introduction to Java 8", 158, 158),
        ("Learning to Program with R", 128, 128),
        ("Introduction to Machine Learning", 119, 119),
        ("Software Architecture Fundamentals Understanding the Basics", 109, 109),
        ("Beginning C# Programming", 95, 83),
        ("Learning Eclipse", 85, 85),
        ("Learning Apache Maven", 80, 80),
    ]


def test_the_least_popular_exams_are_the_published_ones(acme: Answers) -> None:
    found = acme["least_popular"].rows
    assert [row["exam"] for row in found if row["messages"] == 1] == [
        "Learning to Visualize Data with D3.js",
        "Native Web Apps for Android",
        "Nulls, Three-valued Logic and Missing Information",
        "Operating Red Hat Enterprise Linux Servers",
    ]
    assert [row["messages"] for row in found] == [1] * 4 + [2] * 6  # of seven with two


def test_the_four_names_with_two_forms_are_the_published_ones(acme: Answers) -> None:
    found = defaultdict(list)
    for row in acme["shared_names"].rows:
        found[row["exam_name"]].append(row["messages"])
    assert found == {
        "Architectural Considerations for Hadoop Applications": [7, 3],
        "Being a Better Introvert": [8, 2],
        "Great Bash": [8, 6],
        "Introduction to Python": [122, 40],
    }


def test_learning_git_by_position_is_the_published_one(acme: Answers) -> None:
    rows = acme["exam_positions"].rows
    assert [row["correct_messages"] for row in rows] == [270, 270, 261, 264, 267]
    assert rows[0]["correct_attempts"] == 266
    assert {(row["messages"], row["attempts"]) for row in rows} == {(394, 390)}


AVERAGES = {  # incorrect, correct, unanswered
    "Learning Git": (1.32, 3.38, 0.30),
    "Introduction to Python": (1.13, 2.83, 0.26),
    "Introduction to Java 8": (0.56, 4.38, 0.06),
    "Intermediate Python Programming": (1.46, 2.05, 0.17),
    "Learning to Program with R": (1.81, 3.81, 0.18),
    "Introduction to Machine Learning": (0.83, 2.75, 0.01),
    "Software Architecture Fundamentals Understanding the Basics": (1.41, 1.92, 0.29),
    "Beginning C# Programming": (1.02, 2.22, 0.08),
    "Learning Eclipse": (0.81, 3.53, 0.08),
    "Learning Apache Maven": (1.00, 2.44, 0.16),
}
MEANS_WITHOUT_DUPLICATES = {
    "Learning C# Best Practices": 0.46206896551724147,
    "Introduction to Big Data": 0.6061643835616438,
    "Intermediate C# Programming": 0.5512820512820513,
    "Learning DNS": 0.631578947368421,
    "Learning C# Design Patterns": 0.6842105263157895,
    "Learning Git": 0.6738461538461538,
}


def _performance(acme: Answers) -> dict[str, Any]:
    return {str(row["exam"]): row for row in acme["performance"].rows}


@pytest.mark.parametrize("exam", AVERAGES)
def test_averages_of_an_exam_are_the_published_ones_to_two_places(acme: Answers, exam: str) -> None:
    row = _performance(acme)[exam]
    kinds = ("incorrect", "correct", "unanswered")
    assert tuple(row[f"average_{kind}_by_message"] for kind in kinds) == AVERAGES[exam]


@pytest.mark.parametrize("exam", MEANS_WITHOUT_DUPLICATES)
def test_a_mean_without_duplicates_is_the_published_one(acme: Answers, exam: str) -> None:
    found = _performance(acme)[exam]["average_score"]
    assert found == pytest.approx(100 * MEANS_WITHOUT_DUPLICATES[exam], abs=1e-9)


def test_every_exam_has_its_published_messages_attempts_score_and_full_scores(
    acme: Answers,
) -> None:
    """The published ratio of sums per name; a mean of scores where the name has one length."""
    by_name = defaultdict(list)
    for exam in published_exams():
        by_name[exam.name].append(exam)
    found = _performance(acme)
    assert found.keys() == by_name.keys()
    for name, forms in by_name.items():
        row, messages = found[name], sum(form.messages for form in forms)
        surplus = sum(each.messages - 1 for form in forms for each in form.repeated)
        assert (row["messages"], row["attempts"]) == (messages, messages - surplus), name
        full = [form.all_correct for form in forms if form.all_correct is not None]
        if len(full) == len(forms):
            assert row["all_correct_by_message"] == sum(full), name
        if len({form.questions for form in forms}) == 1 and name != TEST_EXAM:
            score = 100 * sum(form.correct for form in forms) / messages / forms[0].questions
            assert row["average_score_by_message"] == pytest.approx(score, abs=1e-9), name


def test_when_an_exam_was_first_and_last_taken_is_as_published(acme: Answers) -> None:
    found = {row["exam"]: row for row in acme["last_taken"].rows}
    checked = 0
    for exam in published_exams():
        if exam.first_date and exam.last_date:
            row = found[exam.name]
            days = (str(row["first_taken_at"])[:10], str(row["last_taken_at"])[:10])
            assert days == (exam.first_date.isoformat(), exam.last_date.isoformat()), exam.name
            checked += 1
    assert checked
    last = [str(row["last_taken_at"]) for row in acme["last_taken"].rows]
    assert last == sorted(last, reverse=True)


def test_the_test_exam_has_attempts_and_no_averages(acme: Answers) -> None:
    row = _performance(acme)[TEST_EXAM]
    assert (row["messages"], row["attempts"], row["all_correct"]) == (5, 5, 0)
    assert row["average_correct"] is row["average_score"] is None


@pytest.mark.parametrize(
    ("exam", "messages", "attempts"),
    [
        ("Beginning C# Programming", 95, 83),
        ("beginning c# programming", 95, 83),
        (TEST_EXAM, 5, 5),
    ],
)
def test_any_exam_can_be_asked_for(
    answered: Platform, exam: str, messages: int, attempts: int
) -> None:
    found = answered.answers("acme", exam)
    assert found.exam is not None
    assert found.exam.lower() == exam.lower()
    taken = found["exam_taken"]
    assert (taken.by_message, taken.by_attempt) == (messages, attempts)


def test_an_exam_that_nobody_took_is_an_error_that_names_similar_ones(answered: Platform) -> None:
    with pytest.raises(UnknownExam, match=r"Customer acme.*'Lerning Git'.*'Learning Git'"):
        answered.answers("acme", "Lerning Git")


def test_answers_are_plain_json(acme: Answers) -> None:
    told = acme.as_json()
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_answers_about_a_messy_delivery_are_what_python_counts(answered: Platform) -> None:
    hostile = changed("hostile", lambda each: each.update(exam_name=HOSTILE_EXAM))
    messy = messy_lines()
    accepted = [json.loads(line.text) for line in messy if line.fate == "accepted"] + [hostile]
    fates = Counter(line.fate for line in messy)
    by_id = {attempt["user_exam_id"]: attempt for attempt in accepted}
    sent = Counter(dict.fromkeys(by_id, 1))
    for line in messy:
        if line.fate == "duplicate" and json.loads(line.text) == by_id[_id(line.text)]:
            sent[_id(line.text)] += 1
    counts = {name: attempt["sequences"]["counts"] for name, attempt in by_id.items()}
    scores = {name: each["correct"] / each["total"] for name, each in counts.items()}
    weighed = [scores[name] for name in sent.elements()]
    taken: Counter[str] = Counter(attempt["exam_name"] for attempt in accepted)
    shown = {name: len(each["sequences"]["questions"]) for name, each in by_id.items()}

    found = answered.answers("globex")

    def both(name: str) -> tuple[Any, Any]:
        return found[name].by_message, found[name].by_attempt

    assert both("messages") == (len(messy) + 1, None)
    assert both("attempts") == (sent.total(), len(by_id))
    assert both("duplicates") == (fates["duplicate"], None)
    assert both("conflicts") == (fates["conflict"], None)
    assert both("quarantined") == (fates["quarantined"], None)
    assert both("repeated") == (
        sum(number for number in sent.values() if number > 1),
        sum(number > 1 for number in sent.values()),
    )
    assert sum(int(row["messages"] or 0) for row in found["reasons"].rows) == fates["quarantined"]
    assert found["fates"].rows[-1]["left"] == len(by_id)
    assert both("average_score") == pytest.approx(
        (100 * mean(weighed), 100 * mean(scores.values()))
    )
    assert both("score_stddev") == pytest.approx(
        (100 * stdev(weighed), 100 * stdev(scores.values()))
    )
    assert both("questions_shown") == (
        sum(shown[name] for name in sent.elements()),
        sum(shown.values()),
    )
    assert both("all_correct") == (
        sum(counts[name]["all_correct"] for name in sent.elements()),
        sum(each["all_correct"] for each in counts.values()),
    )
    assert {row["exam"]: row["attempts"] for row in found["performance"].rows} == taken
    assert {row["exam"] for row in found["most_popular"].rows} == {*taken}


def _id(text: str) -> str:
    name: str = json.loads(text)["user_exam_id"]
    return name


def test_nobodys_answers_are_zero_or_none(answered: Platform) -> None:
    found = answered.answers("nobody")
    assert found.exam is None
    values = [
        value
        for section in found.sections
        for answer in section.values
        for value in (answer.by_message, answer.by_attempt)
    ]
    assert {*values} == {0, None}
    tables = [answer for section in found.sections for answer in section.tables]
    assert {answer.name for answer in tables if answer.rows} == {"fates"}


def test_the_report_is_the_answers_of_the_same_build_and_batch(answered: Platform) -> None:
    rows = {row["format"]: row for row in answered.rows("customer_report", "acme")}
    assert rows.keys() == {"markdown", "html"}
    for row in rows.values():
        assert (row["build"], row["batch"]) == (1, 1)
        assert "62.66 %" in row["content"]
        assert "14,717" in row["content"]
    assert rows["html"]["content"].count("<svg") == 5


def test_a_report_holds_no_id_of_an_attempt_or_an_event(answered: Platform) -> None:
    ids = answered.rows("assessments", "globex", "user_exam_id", "keen_id", "fingerprint")
    told = "".join(row["content"] for row in answered.rows("customer_report", "globex"))
    assert not [value for row in ids for value in row.values() if f"{value}" in told]


def test_an_exam_name_full_of_markup_is_only_a_name_in_the_report(answered: Platform) -> None:
    rows = {row["format"]: row for row in answered.rows("customer_report", "globex")}
    assert "<script" not in rows["html"]["content"]
    assert "A \\| B &lt;script&gt;" in rows["markdown"]["content"]


def test_an_empty_customer_has_no_report(answered: Platform) -> None:
    assert answered.rows("customer_report", "nobody") == []


def test_a_materialization_tells_the_report_at_a_glance(answered: Platform) -> None:
    """Also one that changes nothing."""
    result = answered.materialize("globex", select=["customer_report"])
    [event] = result.asset_materializations_for_node("customer_report")
    assert "| Attempts | 45 | 39 |" in str(event.metadata["summary"].value)


def test_a_report_is_not_made_from_aggregates_that_are_behind(platform: Platform) -> None:
    platform.land("acme", "one.ndjson", lines(message("a")))
    platform.materialize("acme")
    before = platform.rows("customer_report", "acme")
    platform.land("acme", "two.ndjson", lines(message("b")))
    parse = ("source_ranges", "raw_messages", "assessments", "quarantined_messages")
    rest = ("conflicting_assessments", "message_ledger", "questions", "exams")
    platform.materialize("acme", select=[*parse, *rest])
    with pytest.raises(UpstreamNotReady, match=r"Customer acme: table exam_counts was made from"):
        platform.materialize("acme", select=["customer_report"])
    assert platform.rows("customer_report", "acme") == before
    [event] = platform.materialize("acme").asset_materializations_for_node("customer_report")
    assert len(str(event.metadata["preview"].value)) < 1000  # of a page of a hundred thousand signs
    assert {row["batch"] for row in platform.rows("customer_report", "acme")} == {2}
