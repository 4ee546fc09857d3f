"""Faults: what must hold whatever happens, a model that looks for a way around it, and kills.

Belongs here: the oracle, the machine, the harness and their report (`make faults`). The default
suite runs short forms of the same code (`engine/test_model.py`, `engine/test_faults.py`).
"""
