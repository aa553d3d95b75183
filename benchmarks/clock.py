"""Take the time of a block, on the wall and of the processor."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def clock() -> Iterator[dict]:
    """Fill `seconds` (wall) and `cpu_seconds` (all threads of this process) of the block into the dictionary.

    On a machine that does other work at the same moment the wall says little; the processor's time still does.
    """
    taken: dict = {}
    wall, cpu = time.perf_counter(), time.process_time()
    yield taken
    taken |= {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}
