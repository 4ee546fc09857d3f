"""`assess`: what Dagster's own commands have no word for. One module per command.

Belongs here: arguments, exit codes (0 done, 1 failed with a message, 2 wrong usage) and how things
are shown. What a command does lives in the layers below. Heavy imports wait inside the commands.
"""


def main() -> None:
    """The console script."""
    import io
    import sys

    from assess_assets.cli.app import app

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # what the output's encoding has no sign for: ?
    app()
