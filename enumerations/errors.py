"""Name the facts that make a file of returns unreadable."""

from __future__ import annotations


class EnumerationsError(Exception):
    """Refuse a file of returns with a message that names the file, the cause and the cure."""

    exit_code = 3


class EmptyFileError(EnumerationsError, ValueError):
    """Say that a file holds nothing."""


class WrongFileTypeError(EnumerationsError, ValueError):
    """Say that a file is not what its name promises."""


class UnsafeFileError(EnumerationsError, ValueError):
    """Say that a file is built to do harm, or can't be told from one that is."""


class UnknownFormError(EnumerationsError, ValueError):
    """Say that a file's header fits no form."""


class MissingColumnsError(EnumerationsError, KeyError):
    """Name the required columns that a file does not have."""

    def __str__(self) -> str:
        """Return the message without the quotes that KeyError adds."""
        return str(self.args[0]) if self.args else ""


class RepeatedColumnError(EnumerationsError, ValueError):
    """Name the columns of a file that say the same thing twice."""


class UnknownCodelistError(EnumerationsError, KeyError):
    """Name a code list that is not shipped."""

    exit_code = 2

    def __str__(self) -> str:
        """Return the message without the quotes that KeyError adds."""
        return str(self.args[0]) if self.args else ""


class ServerAddressError(EnumerationsError, ValueError):
    """Refuse the address of a server that returns would be asked of."""

    exit_code = 2


class ServerUnreachableError(EnumerationsError, ConnectionError):
    """Say that a server did not answer, however often it was asked."""


class ServerRefusedError(EnumerationsError, PermissionError):
    """Say that a server does not give what was asked for; `status` is the HTTP status."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class ServerAnswerError(EnumerationsError, ValueError):
    """Say that a server's answer is not what its protocol promises."""


class WrongFiguresError(EnumerationsError, ValueError):
    """Say what keeps a table of figures by place and period from being checked."""


class MappingError(EnumerationsError, ValueError):
    """Say what is wrong with a mapping file, and on which line."""


class UnusableFormError(EnumerationsError, ValueError):
    """Say why a form can't be built from what was given."""

    exit_code = 2
