"""Check: the proof, on the files that were built, that trainers load them as they are.

    report      what was looked at and what came of it      integrity   files, manifest, rows twice
    loading     `datasets`, offline, gives the same rows    shapes      rules of each trainer, row by row
    templates   chat templates render them                  leaks       secrets, canaries, the license

It reads a dataset's folder and changes nothing. A package that is missing fails its check and says
which. Invariant: a check that cannot be run is never counted as passed.
"""

from __future__ import annotations

from dolphin_logger.curate.check.report import Report, Result, run_checks

__all__ = ["Report", "Result", "run_checks"]
