"""Hand-written DuckDB: typed read_json, unnest, Parquet."""

import time

import duckdb

from benchmarks.contenders.telling import arguments, tell

OPTION = 'struct(id varchar, checked boolean, correct boolean, submitted bigint, "at" timestamptz)'
QUESTION = (
    "struct(id varchar, user_result varchar, user_correct boolean, user_incomplete boolean, "
    f"user_submitted boolean, options {OPTION}[])"
)
COUNTS = (
    "struct(incomplete bigint, submitted bigint, incorrect bigint, all_correct boolean, "
    "correct bigint, total bigint, unanswered bigint)"
)
COLUMNS = {
    "user_exam_id": "varchar",
    "base_exam_id": "varchar",
    "exam_name": "varchar",
    "started_at": "timestamptz",
    "keen_id": "varchar",
    "keen_timestamp": "double",
    "keen_created_at": "double",
    "max_attempts": "double",
    "certification": "boolean",
    "sequences": f"struct(id varchar, attempt bigint, questions {QUESTION}[], counts {COUNTS})",
}
STEPS = {
    "attempts": """
        select * exclude (sequences), sequences.id as sequences_id, sequences.attempt as attempt,
            sequences.counts as counts, sequences.questions as questions,
            sequences.counts.correct / sequences.counts.total as score,
            len(list_filter(sequences.questions, lambda q: q.user_result = 'correct')) as correct,
            len(list_filter(sequences.questions, lambda q: q.user_result = 'incorrect'))
                as incorrect,
            len(list_filter(sequences.questions, lambda q: q.user_result = 'missed_some'))
                as incomplete,
            len(list_filter(sequences.questions, lambda q: q.user_result = 'unanswered'))
                as unanswered
        from read_json('{input}/*.ndjson', format = 'newline_delimited', columns = {columns})
    """,
    "questions": """
        select user_exam_id, base_exam_id, exam_name, position, q.id as question_id,
            q.user_result as result, q.user_correct, q.user_incomplete, q.user_submitted,
            len(q.options) as options_shown,
            len(list_filter(q.options, lambda o: o.checked)) as options_checked,
            len(list_filter(q.options, lambda o: coalesce(o.correct, false))) as options_correct,
            list_min(list_transform(q.options, lambda o: o."at")) as first_answered_at,
            list_max(list_transform(q.options, lambda o: o."at")) as last_answered_at
        from (select user_exam_id, base_exam_id, exam_name, unnest(questions) as q,
            unnest(range(len(questions))) as position from '{out}/attempts.parquet')
    """,
    "options": """
        select user_exam_id, base_exam_id, exam_name, question_position, question_id, position,
            o.id as option_id, o.checked, coalesce(o.correct, false) as is_correct, o.submitted,
            o."at"
        from (
            select user_exam_id, base_exam_id, exam_name, question_position, q.id as question_id,
                unnest(q.options) as o, unnest(range(len(q.options))) as position
            from (select user_exam_id, base_exam_id, exam_name, unnest(questions) as q,
                unnest(range(len(questions))) as question_position
                from '{out}/attempts.parquet'))
    """,
    "exams": """
        select exam_name, count(*) as attempts, sum(counts.correct)::bigint as correct,
            sum(counts.total)::bigint as total, avg(score) as average_score,
            sum(counts.all_correct::int)::bigint as all_correct
        from '{out}/attempts.parquet' group by exam_name
    """,
    "difficulty": """
        select base_exam_id, question_id, count(*) as shown,
            sum((result <> 'unanswered')::int)::bigint as answered,
            sum((result in ('incorrect', 'missed_some'))::int)::bigint as wrong
        from '{out}/questions.parquet' group by all
    """,
}


def main() -> None:
    source, out = arguments()
    began = time.perf_counter()
    connection = duckdb.connect()
    connection.execute("set threads = 2; set timezone = 'UTC'; set preserve_insertion_order=false")
    for name, query in STEPS.items():
        text = query.format(input=source, out=out, columns=COLUMNS)
        connection.execute(f"copy ({text}) to '{out}/{name}.parquet' (format parquet)")
    seconds = time.perf_counter() - began
    tell(
        seconds,
        {name: _rows(connection, f"{out}/{name}.parquet") for name in STEPS},
        _dicts(connection, f"from '{out}/exams.parquet'"),
        _dicts(connection, f"from '{out}/difficulty.parquet'"),
    )


def _rows(connection: duckdb.DuckDBPyConnection, path: str) -> int:
    (number,) = connection.execute(f"select count(*) from '{path}'").fetchall()[0]
    return int(number)


def _dicts(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, object]]:
    found = connection.execute(query)
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


if __name__ == "__main__":
    main()
