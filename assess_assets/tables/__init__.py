"""The tables: one contract each, declared once; schema, lineage, checks and docs come from it."""
