"""The assets, thin: ask a transform, say how its rows are to be written. One module a table."""
