"""customer_report: a customer's questions answered, as Markdown and as a page."""

import dagster as dg
from pyspark.sql import DataFrame

from assess_assets.assets.aggregating import Frames, aggregate_each
from assess_assets.assets.specs import customer_asset
from assess_assets.reports.markdown import render_markdown, summary_of
from assess_assets.resources.lake import LakeResource
from assess_assets.storage.io_manager import Tables
from assess_assets.storage.lake import Lake, Replacement, Replacements
from assess_assets.tables.reports import CUSTOMER_REPORT, FORMATS
from assess_assets.transforms.answers.answering import answer_customer


@customer_asset(CUSTOMER_REPORT)
def customer_report(
    context: dg.AssetExecutionContext,
    lake: LakeResource,
    assessments: Tables,
    message_ledger: Tables,
    questions: Tables,
    exams: Tables,
    exam_counts: Tables,
    exam_performance: Tables,
    question_difficulty: Tables,
) -> Replacements:
    """One row per format of the customer's report: markdown, html.

    Every answer with its definition and its filter, by message and by attempt. Made from tables of
    one build and batch, or not at all. `assess report` writes it to files.
    """
    upstream = {
        "assessments": assessments,
        "message_ledger": message_ledger,
        "questions": questions,
        "exams": exams,
        "exam_counts": exam_counts,
        "exam_performance": exam_performance,
        "question_difficulty": question_difficulty,
    }
    reports = aggregate_each(context, lake, CUSTOMER_REPORT, make_report, upstream, len(FORMATS))
    for customer, report in reports.items():
        summary = dg.MetadataValue.md(summarize(lake.lake, report))
        context.add_asset_metadata({"summary": summary}, partition_key=customer)
    return reports


def make_report(frames: Frames) -> DataFrame:
    """The report in each format."""
    from assess_assets.reports.html import render_html  # starts V8: only where a page is made

    upto = frames.upto
    answers = answer_customer(upto.customer, upto.build, upto.batch, frames)
    markdown = render_markdown(answers)
    formats = {"markdown": markdown, "html": render_html(answers, markdown)}
    spark = frames["assessments"].sparkSession
    return spark.createDataFrame(list(formats.items()), "format string, content string")


def summarize(lake: Lake, report: Replacement) -> str:
    """What the report says at a glance, whether it was made now or before."""
    frame = lake.read(report.target) if report.frame is None else report.frame
    rows = frame.where("format = 'markdown'").select("content").collect()
    return summary_of(rows[0].content) if rows else "_no messages yet_"
