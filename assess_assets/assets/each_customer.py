"""The customers of a run: each gets its step, and one that fails does not stop the others.

A customer that fails in a step is set aside for the rest of the run (a tag of the run says so,
and why): later steps serve the others and fail in the end, naming whom they could not serve.
"""

import inspect
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, TypeVar

import dagster as dg

from assess_assets.customers import CUSTOMERS, CustomerPolicy
from assess_assets.resources.lake import LakeResource
from assess_assets.storage.lake import Lake, PerCustomer, Replacement, Replacements
from assess_assets.storage.set_aside import SetAside, set_aside_in

T = TypeVar("T")
Context = dg.AssetExecutionContext | dg.AssetCheckExecutionContext


def customers_of(context: Context) -> list[str]:
    """Keys of the run's partitions: any text, which `Lake.for_each` checks customer by customer.

    All that are registered, if the run names none: the UI's buttons "Observe" and "Execute all"
    (of checks) start such runs. Raises dg.Failure for a range that holds nobody (a reversed one
    succeeds on nothing in Dagster 1.13).
    """
    if is_for_all(context):
        keys = list(context.instance.get_dynamic_partitions(CUSTOMERS.name or ""))
    else:
        keys = list(context.partition_keys)
    if not keys:
        raise dg.Failure(
            "This run's range of partitions holds no customer. Dynamic partitions are in order of "
            "registration: give the one registered first as the start (see `assess customers`).",
            allow_retries=False,
        )
    return keys


def is_for_all(context: Context) -> bool:
    """Whether the run names no partition."""
    return not (context.has_partition_key or context.has_partition_key_range)


def each_customer(context: Context, lake: Lake, step: Callable[[str], T]) -> PerCustomer[T]:
    """Run a step for every customer of the run that no earlier step has set aside."""
    customers = customers_of(context)
    aside = set_aside_in(context.instance, context.run.run_id)
    made = lake.for_each([each for each in customers if each not in aside], step)
    for customer in customers:
        if customer in aside:
            made.failures[customer] = SetAside(f"set aside in this run: {aside[customer]}")
    return made


def observe_each(
    context: dg.AssetExecutionContext, lake: Lake, look: Callable[[str], dg.AssetObservation]
) -> dg.DataVersionsByPartition:
    """Observe a source of every customer that can be; then fail, naming those that can't be.

    Observations that are logged stay when the step fails. What it returned would not be recorded
    then, and could carry no metadata.
    """
    seen = lake.for_each(customers_of(context), look)
    for observation in seen.values():
        context.log_event(observation)
    seen.raise_failures()
    return dg.DataVersionsByPartition({})


def replace_each(
    context: Context,
    resource: LakeResource,
    step: Callable[[Lake, str, CustomerPolicy], Replacement],
) -> Replacements:
    """`each_customer` for a step that makes one table of a customer, under its policy."""
    lake, policies = resource.lake, resource.policies  # read once: the policies are a file
    made = each_customer(context, lake, lambda name: step(lake, name, policies.of(name)))
    return Replacements(dict(made), made.failures)


def settled(step: Callable[..., Any]) -> Callable[..., Iterator[dg.Output[Any]]]:
    """The step; once its outputs are stored it fails if a customer did, so that the run does.

    It fails before, if nobody is left: what follows a yielded output takes it for stored.
    """

    @wraps(step)
    def run(
        context: dg.AssetExecutionContext, *arguments: Any, **named: Any
    ) -> Iterator[dg.Output[Any]]:
        made = step(context, *arguments, **named)
        outputs: Any = made if inspect.isgenerator(made) else [dg.Output(made)]
        stored = None
        for output in outputs:
            stored = output.value
            if isinstance(stored, PerCustomer) and not stored:
                stored.raise_failures()
            yield output
        if isinstance(stored, PerCustomer):
            stored.raise_failures()

    return run
