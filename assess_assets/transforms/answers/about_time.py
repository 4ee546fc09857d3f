"""Answers about time: the window of the data, when attempts were made, how long they took."""

from assess_assets.transforms.answers.answer import Answer, Section, Value
from assess_assets.transforms.answers.figures import Figures
from assess_assets.transforms.answers.tabular import counted, counted_fields, instant

BUSIEST_DAYS = 5


def about_time(figures: Figures) -> Section:
    started = figures.attempts.windows["started_at"]
    recorded = figures.attempts.windows["keen_timestamp"]
    days = figures.breakdowns["day"]
    busiest = sorted(days, key=lambda day: (-day.attempts, day.label))[:BUSIEST_DAYS]
    return Section(
        "time",
        "When",
        (
            _moment("first_start", "the first attempt started", "Earliest started_at.", started[0]),
            _moment("last_start", "the last attempt started", "Latest started_at.", started[1]),
            _moment("first_event", "the first event recorded", "Earliest event.", recorded[0]),
            _moment("last_event", "the last event recorded", "Latest event.", recorded[1]),
            _duration(
                figures,
                "until_last",
                "How long did an attempt take, on average?",
                "Mean time from started_at to the last tick of an option, in whole seconds each.",
            ),
            _duration(
                figures,
                "between",
                "How long from the first answer to the last, on average?",
                "Mean time from the first tick of an option to the last, in whole seconds each.",
            ),
            Answer(
                "busiest_days",
                "Which were the busiest days?",
                f"The {BUSIEST_DAYS} days (UTC) of started_at with the most attempts.",
                fields=counted_fields("Day"),
                rows=counted(busiest),
            ),
            Answer(
                "days",
                "How many attempts were started each day?",
                "Attempts by the day (UTC) of started_at.",
                fields=counted_fields("Day"),
                rows=counted(days),
            ),
            Answer(
                "months",
                "How many attempts were started each month?",
                "Attempts by the month (UTC) of started_at.",
                fields=counted_fields("Month"),
                rows=counted(figures.breakdowns["month"]),
            ),
            Answer(
                "hours",
                "At which hour of the day?",
                "Attempts by the hour (UTC) of started_at.",
                fields=counted_fields("Hour"),
                rows=counted(figures.breakdowns["hour"]),
            ),
        ),
    )


def _moment(name: str, event: str, definition: str, micros: int | None) -> Answer:
    moment: Value = instant(micros)
    return Answer(
        name,
        f"When was {event}?",
        definition,
        unit="time",
        by_message=moment,
        by_attempt=moment,
    )


def _duration(figures: Figures, name: str, question: str, definition: str) -> Answer:
    sums = figures.durations

    def minutes(seconds: int, number: int) -> float | None:
        return seconds / number / 60 if number else None

    return Answer(
        f"minutes_{name}",
        question,
        definition,
        "Only attempts in which an option was ticked or unticked.",
        "minutes",
        minutes(sums[f"{name}_by_message"], sums["messages"]),
        minutes(sums[name], sums["attempts"]),
    )
