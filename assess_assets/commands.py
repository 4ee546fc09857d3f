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


def first_update_command(customer: str) -> str:
    """The same for a customer that may not have landed or not be registered, which Dagster refuses.

    `sync` changes nothing for one that is, and is what a landed one lacks.
    """
    return (
        f"assess land FILE --customer {customer} (if nothing has landed), assess customers sync, "
        f"then {update_command(customer)}"
    )
