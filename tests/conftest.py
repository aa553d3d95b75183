"""Give every test the real data's folder, or skip it with the reason."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("project", deadline=None)  # a loaded machine is no reason to fail
settings.load_profile("project")

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
