"""`assess doctor`: what is wrong with this installation, and the fix, one line each.

Belongs here: the command. Each examination is in `diagnosis`.
"""

import typer

from assess_assets.cli.options import AsJson
from assess_assets.cli.output import print_json


def doctor(as_json: AsJson = False) -> None:
    """Say what is wrong here, and the fix. Exit code 1 if anything fails."""
    from assess_assets.cli.diagnosis import examine

    findings = []
    for finding in examine():
        findings.append(finding)
        if not as_json:
            typer.echo(f"{finding.status:<5} {finding.subject}: {finding.told}")
            if finding.fix:
                typer.echo(f"      fix: {finding.fix}")
    if as_json:
        print_json([finding._asdict() for finding in findings])
    failed = sum(finding.status == "fail" for finding in findings)
    if failed:
        typer.echo(f"assess: {failed} of {len(findings)} examinations failed.", err=True)
        raise typer.Exit(1)
