"""A fact about the platform: the operator's overview has every registered customer.

A warning, as a customer that was registered a minute ago has not been run yet.
"""

from assess_assets.checks.facts import Fact, query

EVERY_CUSTOMER_IS_IN_THE_OVERVIEW = Fact(
    name="every_customer_is_in_the_overview",
    table="customer_overview",
    meaning="Every registered customer has a row in customer_overview.",
    query=query(
        """
        select r.customer
        from {registered_customers} r
        left join {customer_overview} o on o.customer = r.customer
        where o.customer is null
        """
    ),
    blocking=False,
)

COVERAGE = (EVERY_CUSTOMER_IS_IN_THE_OVERVIEW,)
