"""Dagster resources: the engine, and the lake on top of it."""
