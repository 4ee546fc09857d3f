"""Facts about every customer's tables, checked after each step: one module per kind of fact."""
