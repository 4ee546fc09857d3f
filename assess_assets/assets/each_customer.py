"""The customers of a run: each gets its step, and one that fails does not stop the others.

A customer that fails in a step is set aside for the rest of the run (a tag of the run says so,
and why): later steps serve the others and fail in the end, naming whom they could not serve.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from typing import Any, TypeVar

import dagster as dg

from assess_assets.customer_names import require_customer_key
from assess_assets.storage.lake import Lake, PerCustomer, Replacement, Replacements

T = TypeVar("T")
Context = dg.AssetExecutionContext | dg.AssetCheckExecutionContext
SET_ASIDE = "assess_set_aside/"


class SetAside(Exception):
    """An earlier step of the same run failed for this customer."""


def customers_of(context: Context) -> list[str]:
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


def each_customer(context: Context, lake: Lake, step: Callable[[str], T]) -> PerCustomer[T]:
    """Run a step for every customer of the run that no earlier step has set aside."""
    customers = customers_of(context)
    aside = _set_aside_in(context)
    made = lake.for_each([each for each in customers if each not in aside], step)
    for customer in customers:
        if customer in aside:
            made.failures[customer] = SetAside(f"set aside in this run: {aside[customer]}")
    return made


def replace_each(context: Context, lake: Lake, step: Callable[[str], Replacement]) -> Replacements:
    """`each_customer` for a step that makes one table."""
    made = each_customer(context, lake, step)
    return Replacements(dict(made), made.failures)


def settled(step: Callable[..., Any]) -> Callable[..., Iterator[dg.Output[Any]]]:
    """The step; once its outputs are stored it fails if a customer did, so that the run does."""

    @wraps(step)
    def run(
        context: dg.AssetExecutionContext, *arguments: Any, **named: Any
    ) -> Iterator[dg.Output[Any]]:
        made = step(context, *arguments, **named)
        outputs: Any = made if inspect.isgenerator(made) else [dg.Output(made)]
        stored = None
        for output in outputs:
            yield output
            stored = output.value
        if isinstance(stored, PerCustomer):
            set_aside(context, stored.failures)
            stored.raise_failures()

    return run


def set_aside(context: Context, failures: Mapping[str, object]) -> None:
    """Later steps of this run leave these customers out."""
    tags = {
        f"{SET_ASIDE}{customer}": f"{context.op_execution_context.op.name}: {_first_line(reason)}"
        for customer, reason in failures.items()
        if not isinstance(reason, SetAside)
    }
    if tags:
        context.instance.add_run_tags(context.run.run_id, tags)


def _set_aside_in(context: Context) -> dict[str, str]:
    run = context.instance.get_run_by_id(context.run.run_id)
    tags = run.tags if run else {}
    return {
        key.removeprefix(SET_ASIDE): reason
        for key, reason in tags.items()
        if key.startswith(SET_ASIDE)
    }


def _first_line(reason: object) -> str:
    return (str(reason).splitlines() or [type(reason).__name__])[0][:300]
