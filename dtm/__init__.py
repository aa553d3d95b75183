"""Turn checked returns and places into population numbers that are safe to publish."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("ub-population-tracking")
except PackageNotFoundError:  # a checkout that was never installed
    __version__ = "0+unknown"
