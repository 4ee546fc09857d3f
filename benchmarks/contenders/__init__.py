"""One module per contender, each a process of its own: `python -m benchmarks.contenders.<name>`.

Each makes the attempts, questions, options and aggregates of the files in a folder and prints its
aggregates as JSON (`told`). Written as somebody who knows the tool would, and only for this: no
validation, duplicates, ledger, checks or reruns.
"""
