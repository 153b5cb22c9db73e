"""Workers: one function over many items, in as many processes as there are to be.

It knows neither the function nor the items. Invariant: what comes back is in the order of the items,
whoever was first; the first error ends all; an interrupt is the parent's, and where that was killed
the workers end too.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import Final, TypeVar

from dolphin_logger.errors import DatasetError

WORTH_IT: Final = 16 * 1024 * 1024
Item = TypeVar("Item")
Result = TypeVar("Result")


def workers_for(size: int, *, workers: int) -> int:
    """Say how many processes some bytes are worth: of a few, their start would take longer than the work."""
    return workers if size >= WORTH_IT else 1


def spread(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    workers: int,
    done: Callable[[Item], object],
) -> list[Result]:
    """Do the work for every item; `done` is told of each that is through.

    The work, the items and the results can be pickled: processes are spawned, as threads may be
    running here, and share nothing. With one worker, or one item, all is done in this process.

    Raises:
        DatasetError: a process was ended by somebody else.
    """
    if workers <= 1 or len(items) <= 1:
        results = []
        for item in items:
            results.append(work(item))
            done(item)
        return results
    context = multiprocessing.get_context("spawn")
    count = min(workers, len(items))
    with ProcessPoolExecutor(count, mp_context=context, initializer=_begin) as pool:
        futures = {pool.submit(work, item): item for item in items}
        try:
            for future in as_completed(futures):
                future.result()
                done(futures[future])
        except BrokenProcessPool as error:
            raise DatasetError(
                f"one of {count} worker processes was ended, perhaps for want of memory: use fewer workers"
            ) from error
        finally:
            for future in futures:
                future.cancel()
        return [future.result() for future in futures]


def _begin() -> None:
    """Leave Ctrl-C to the parent, and end with it however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
