"""Name the facts that stop the reading of places, each with the exit code the command line answers."""

from __future__ import annotations

EXIT_WRONG_USE = 2
EXIT_BAD_INPUT = 3


class GeodataError(Exception):
    """Stop with a message that names the place and the cure."""

    exit_code = EXIT_BAD_INPUT


class PcodeError(GeodataError, ValueError):
    """Refuse a text that is no P-code, or a number that can't be part of one."""

    exit_code = EXIT_WRONG_USE


class GeodataUseError(GeodataError, ValueError):
    """Refuse an option that has no meaning."""

    exit_code = EXIT_WRONG_USE


class UnreadableFileError(GeodataError, ValueError):
    """Say that a file as a whole can't be read, and why."""


class RasterError(UnreadableFileError):
    """Say that a file is no population raster that can be used."""


class CrosswalkError(GeodataError, ValueError):
    """Refuse areas, weights or values from which no crosswalk can be made, by the name of what is wrong."""
