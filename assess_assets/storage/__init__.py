"""Storage: where tables lie, what a step may rely on while it writes, and the IO manager."""
