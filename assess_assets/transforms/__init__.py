"""DataFrame to DataFrame: what each table is made of. No Dagster, no Kafka, no paths."""
