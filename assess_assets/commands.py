"""Commands that errors and hints advise: one text each, so that what is advised can be run."""


def update_command(customer: str, selection: str = "*") -> str:
    """Make a customer's tables; what is up to date is not written again.

    Two steps make several tables each, and Dagster refuses a selection of some of a step's: so
    `assessments*` or `+customer_report` can't be run.
    """
    return (
        "dagster asset materialize -m assess_assets.definitions "
        f"--select '{selection}' --partition {customer}"
    )
