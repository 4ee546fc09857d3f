"""All assets, in the order in which data flows. Add an asset: write its module, name it here.

Maintenance, which makes no table, comes last.
"""

from assess_assets.assets.assessment_topic import assessment_topic
from assess_assets.assets.assessments import parse_messages
from assess_assets.assets.builds import builds
from assess_assets.assets.customer_overview import customer_overview
from assess_assets.assets.customer_report import customer_report
from assess_assets.assets.exam_counts import exam_counts
from assess_assets.assets.exam_performance import exam_performance
from assess_assets.assets.exams import exams
from assess_assets.assets.lake_maintenance import lake_maintenance
from assess_assets.assets.landing_files import landing_files
from assess_assets.assets.options import options
from assess_assets.assets.question_difficulty import question_difficulty
from assess_assets.assets.questions import questions
from assess_assets.assets.raw_messages import land_messages

ASSETS = [
    landing_files,
    assessment_topic,
    land_messages,
    builds,
    parse_messages,
    questions,
    options,
    exams,
    exam_counts,
    exam_performance,
    question_difficulty,
    customer_report,
    customer_overview,
    lake_maintenance,
]
