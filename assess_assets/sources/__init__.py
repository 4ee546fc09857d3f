"""Where messages come from: sources as ranges of records, in one envelope.

Belongs here: which ranges exist, and how the records of a range are read. Does not: what a message
means (`messages.py`), or where its rows are written (`storage/`).
"""
