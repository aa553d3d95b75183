"""Name the facts that stop a command, each with the exit code the command line answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

EXIT_DONE = 0
EXIT_FINDINGS = 1
EXIT_WRONG_USE = 2
EXIT_BAD_INPUT = 3


class DtmError(Exception):
    """Stop with a message that names the place and the cure."""

    exit_code = EXIT_BAD_INPUT


class WrongUseError(DtmError, ValueError):
    """Refuse an option, or a combination of options, that has no meaning."""

    exit_code = EXIT_WRONG_USE


class NoWorkspaceError(WrongUseError, FileNotFoundError):
    """Say that the folder is not a workspace."""


class WarehouseBusyError(DtmError, OSError):
    """Say that another process is writing to the warehouse."""


class WarehouseTooNewError(DtmError, RuntimeError):
    """Say that a newer version of the system wrote this warehouse."""


class DiskFullError(DtmError, OSError):
    """Say that the disk filled up and that nothing was changed."""


class UnknownAreaSetError(WrongUseError, KeyError):
    """Name an area set that is not in the warehouse."""

    def __str__(self) -> str:
        """Return the message without the quotes that KeyError adds."""
        return str(self.args[0]) if self.args else ""


class UnknownRoundError(WrongUseError, KeyError):
    """Name a round that was never opened."""

    def __str__(self) -> str:
        """Return the message without the quotes that KeyError adds."""
        return str(self.args[0]) if self.args else ""


class NoReleaseError(WrongUseError, FileNotFoundError):
    """Say that the workspace has no release to read."""


class ReleaseFormatError(DtmError, ValueError):
    """Say that a release has the tables of another version of the system."""


class NothingToReleaseError(WrongUseError, ValueError):
    """Say that no round with returns is there to release."""


class OpenErrorsError(DtmError, ValueError):
    """Refuse a sign-off while errors stand; `findings` has them."""

    exit_code = EXIT_FINDINGS

    def __init__(self, message: str, findings: Sequence[Mapping[str, Any]] = ()) -> None:
        super().__init__(message)
        self.findings = [dict(finding) for finding in findings]


class RoundNotSignedOffError(DtmError, ValueError):
    """Refuse to release a round that nobody signed off, unless it is called provisional."""

    exit_code = EXIT_FINDINGS


class UnknownFindingError(WrongUseError, KeyError):
    """Name a finding that the round does not have."""

    def __str__(self) -> str:
        """Return the message without the quotes that KeyError adds."""
        return str(self.args[0]) if self.args else ""


class BadInputError(DtmError, ValueError):
    """Refuse a file as a whole; nothing was changed."""


class MarginsDisagreeError(BadInputError):
    """Name the difference between margins of a table that should add to the same total."""


class InfeasibleMarginsError(BadInputError):
    """Name the areas whose margins no table with these zeros can meet."""


class StocksDisagreeError(BadInputError):
    """Name the difference between the change of stocks and the births and deaths that should explain it."""


class ReleaseAuditError(DtmError, RuntimeError):
    """Stop a release in which a hidden value could be derived."""
