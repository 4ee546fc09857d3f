"""Which customers a run is about. A run about none is an error, never a success on nothing."""

import dagster as dg

from assess_assets.customer_names import require_customer_key


def customers_of(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> list[str]:
    """Keys of the run's partitions, each checked: Dagster itself accepts any text as a key.

    Raises dg.Failure for a range that holds nobody (a reversed one succeeds on nothing in
    Dagster 1.13), and InvalidCustomerKey.
    """
    keys = list(context.partition_keys)
    if not keys:
        raise dg.Failure(
            "This run's range of partitions holds no customer. Dynamic partitions are in order of "
            "registration: give the one registered first as the start (see `assess customers`).",
            allow_retries=False,
        )
    return [require_customer_key(key) for key in keys]
