"""Version of the transforms, recorded in `builds`: raise it when a table's content would change.

All versions are ordered, so that older code can refuse to run over what newer code wrote.
The message contract's own version is in `messages`, a policy's in `customers`.
"""

CODE_VERSION = 4
