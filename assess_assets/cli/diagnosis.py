"""The examinations of `assess doctor`: each looks at one thing and says ok, warn or fail, and why.

Belongs here: looking, and the fix. Nothing is repaired, and nothing is left behind.
"""

import platform
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from assess_assets.cli.deployment import deployment
from assess_assets.cli.engine_findings import engine_finding, java_finding
from assess_assets.cli.errors import CommandFailed
from assess_assets.cli.finding import REINSTALL, Finding
from assess_assets.cli.lake_findings import lake_findings, removal_findings
from assess_assets.cli.source_findings import (
    instance_findings,
    kafka_finding,
    landing_findings,
)
from assess_assets.cli.table_findings import table_findings

if TYPE_CHECKING:
    from assess_assets.settings import Settings

DISTRIBUTION: Final = "assess-assets"


def examine() -> Iterator[Finding]:
    """Every examination, the quick ones first."""
    yield from _versions()
    try:
        settings, layout = deployment()
    except CommandFailed as error:
        yield Finding("fail", "settings", str(error), "correct the ASSESS_ variable it names")
        return
    found = list(lake_findings(layout))
    yield from found
    if all(finding.status != "fail" or finding.subject != "lake" for finding in found):
        yield from table_findings(layout, settings.landing)
        yield from removal_findings(settings, layout)
    yield from landing_findings(settings.landing)
    yield _policies(settings)
    yield from instance_findings(settings)
    if settings.kafka:
        yield kafka_finding(settings)
    yield java_finding(settings.spark)
    yield engine_finding(settings.spark)


def _versions() -> Iterator[Finding]:
    """Python and every package that the project requires."""
    from importlib import metadata

    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet

    about = metadata.metadata(DISTRIBUTION)
    python = platform.python_version()
    wanted = about["Requires-Python"]
    fits = SpecifierSet(wanted).contains(python)
    fix = "" if fits else "make a virtual environment with such a Python, and install again"
    yield Finding("ok" if fits else "fail", "python", f"{python}, {wanted} is required", fix)
    wrong, installed = [], 0
    for text in about.get_all("Requires-Dist") or []:
        required = Requirement(text)
        if required.marker and not required.marker.evaluate():
            continue
        try:
            version = metadata.version(required.name)
        except metadata.PackageNotFoundError:
            wrong.append(f"{required.name} is missing")
            continue
        installed += 1
        if not required.specifier.contains(version, prereleases=True):
            wrong.append(f"{required.name} is {version}, {required.specifier} is required")
    if wrong:
        yield Finding("fail", "packages", "; ".join(wrong), REINSTALL)
    else:
        yield Finding("ok", "packages", f"all {installed} have a required version")


def _policies(settings: "Settings") -> Finding:
    if settings.policies is None:
        return Finding("ok", "policies", "every customer has the default policy")
    from assess_assets.customers import Policies

    try:
        customers = Policies.load(settings.policies).customers
    except (OSError, ValueError) as error:
        return Finding("fail", "policies", f"{settings.policies}: {error}", "correct the file")
    return Finding("ok", "policies", f"{settings.policies}: {len(customers)} of customers' own")
