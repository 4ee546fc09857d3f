"""A customer's questions answered: figures from the engine, then answers with their definitions."""
