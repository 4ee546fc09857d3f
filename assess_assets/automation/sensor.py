"""new_messages: the sensor that registers customers and requests a run for whoever has news.

It stands on what the sources and the lake say now, not on what it requested: a request that was
lost is seen again. The cursor holds, per customer, the version of its sources at which there was no
news, or the key of the news that a run was requested for.
"""

import json
import time

import dagster as dg

from assess_assets.automation.being_run import being_run
from assess_assets.automation.jobs import UPDATE_CUSTOMERS
from assess_assets.automation.news import (
    Sight,
    customers_with_sources,
    look_at_sources,
    news_of,
)
from assess_assets.customer_names import keys_among
from assess_assets.customers import CUSTOMERS
from assess_assets.resources.lake import LakeResource
from assess_assets.sources.kafka_errors import NoAnswer

EVERY_SECONDS = 5  # as often as Dagster's daemon looks at all
MOST_SECONDS = 20.0  # of the 60 that Dagster gives a tick, whose cursor it drops if it is late


@dg.sensor(
    name="new_messages",
    job=UPDATE_CUSTOMERS,
    minimum_interval_seconds=EVERY_SECONDS,
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="Requests a run for every customer with something new in its landing folder or "
    "topic, and registers new customers. Switch it on, or run `assess follow`: not both.",
)
def new_messages(context: dg.SensorEvaluationContext, lake: LakeResource) -> dg.SensorResult:
    """One run per customer and state of its sources, and none while it has a run.

    Whoever can't be looked at in time is looked at in the next tick, for which less is left.
    """
    until = time.monotonic() + MOST_SECONDS
    broker = lake.broker()
    # Before sources are looked at: who is being removed loses them first, and stays removed.
    registered = context.instance.get_dynamic_partitions(CUSTOMERS.name or "")
    keys, refused, silent = customers_with_sources(lake, broker)
    known, no_keys = keys_among(registered)
    for told in [*refused, *no_keys.values()]:
        context.log.warning(f"Read by no run: {told}")
    new = [key for key in keys if key not in set(known)]
    seen: dict[str, str] = json.loads(context.cursor or "{}")
    busy = being_run(context.instance)
    sights = look_at_sources(lake, broker, [*known, *new], silent)
    requests, waiting = [], 0
    # Last, those with a run requested at this very state: they may never be settled.
    for at, sight in enumerate(sorted(sights, key=lambda one: _was_requested(one, seen))):
        if at and time.monotonic() > until:
            context.log.warning(f"{len(sights) - at} customers are left to the next tick.")
            break
        try:
            request = _request(context, lake, sight, seen, busy)
        except NoAnswer as error:
            waiting += 1
            if error is not silent:
                context.log.error(f"Customer {sight.customer} is left out of this tick: {error}")
            continue
        if request is not None:
            requests.append(request)
    nothing = f"{len(sights)} customers, {len(busy)} of them with a run: nothing to request."
    if silent:  # told once a tick, and not of each customer: ticks go on all night, and are kept
        blind = f"Only landing folders are looked at, and {waiting} customers with a topic wait: "
        context.log.warning(f"{blind}{silent}")
        nothing = f"{nothing} {blind}{silent}"
    return dg.SensorResult(
        run_requests=requests,
        skip_reason=None if requests else nothing,
        dynamic_partitions_requests=[CUSTOMERS.build_add_request(new)] if new else [],
        cursor=json.dumps(seen, sort_keys=True),
    )


def _was_requested(sight: Sight, seen: dict[str, str]) -> bool:
    return seen.get(sight.customer, "").endswith(f"/{sight.version}")


def _request(
    context: dg.SensorEvaluationContext,
    lake: LakeResource,
    sight: Sight,
    seen: dict[str, str],
    busy: dict[str, str],
) -> dg.RunRequest | None:
    """The run that a customer needs; notes in `seen` what need not be looked at again.

    Raises NoAnswer of a customer whose topic is needed.
    """
    customer = sight.customer
    if customer in busy or seen.get(customer) == sight.version:
        return None
    try:
        news = news_of(lake, sight)
    except NoAnswer:
        raise
    except Exception as error:  # one customer's tables or topic: the others go on
        context.log.error(f"Customer {customer} is left out of this tick: {error}")
        return None
    if news is None:
        seen[customer] = sight.version
        return None
    if seen.get(customer) == news.key:
        return None  # its run has failed: mended and run again by people, or when more comes
    seen[customer] = news.key
    context.log.info(f"{customer}: {news.told}")
    return dg.RunRequest(run_key=news.key, partition_key=customer)
