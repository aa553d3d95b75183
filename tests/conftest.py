"""Give every test the real data's folder, or skip it with the reason."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REALDATA_PATH = Path(os.environ.get("DTM_REALDATA", Path(__file__).resolve().parents[2] / "shared" / "data"))


@pytest.fixture(scope="session")
def realdata() -> Path:
    """Return the folder of real data kept beside the checkout."""
    if REALDATA_PATH.is_dir():
        return REALDATA_PATH
    reason = f"real data is not at {REALDATA_PATH} (set DTM_REALDATA to its folder)"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
