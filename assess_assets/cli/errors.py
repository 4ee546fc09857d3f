"""Errors a user is expected to meet: one message on stderr and exit code 1, never a traceback.

Belongs here: which errors those are. A bug still shows its traceback, as it should.
"""

from typing import Any, Final

import typer
from typer.core import TyperGroup

# By name, so that nothing heavy is imported to find out.
_EXPECTED: Final = frozenset(
    {
        "assess_assets.cli.errors.CommandFailed",
        "assess_assets.customer_names.CustomerNameRefused",
        "assess_assets.customer_names.InvalidCustomerKey",
        "assess_assets.customers.BadPolicies",
        "assess_assets.platform.errors.PlatformError",
        "assess_assets.sources.ranges.SourceError",
        "assess_assets.storage.builds.OlderCode",
        "assess_assets.storage.builds.PolicyChanged",
        "assess_assets.storage.delta.LostRace",
        "assess_assets.storage.hdfs_folders.FolderNotProtected",
        "assess_assets.storage.lake_faults.LakeFault",
        "assess_assets.storage.protocol.UpstreamNotReady",
        "builtins.OSError",
        "pydantic_core._pydantic_core.ValidationError",  # of the policies
        "_internal.DeltaError",  # deltalake's
    }
)


class CommandFailed(Exception):
    """The message says what happened, which customer, which table, and what to run next."""

    def __init__(self, what: str, fix: str = "") -> None:
        super().__init__(f"{what} {fix}".rstrip())
        self.what = what
        self.fix = fix


class Commands(TyperGroup):
    """A group of commands that tells expected errors in one message."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # `assess show ... | head`: typer ends quietly by itself
            raise
        except Exception as error:
            if not is_expected(error):
                raise
            typer.echo(f"assess: {_told(error)}", err=True)
        raise typer.Exit(1)


def _told(error: Exception) -> str:
    """The error's own message; of the system's, which have none, what they are about first."""
    if not isinstance(error, OSError) or not error.strerror:
        return str(error)
    about = f"{error.filename}: " if error.filename else ""
    return f"{about}{error.strerror}. Mend that, or name another path, and run the same again."


def is_expected(error: Exception) -> bool:
    return any(
        f"{kind.__module__}.{kind.__qualname__}" in _EXPECTED for kind in type(error).__mro__
    )
