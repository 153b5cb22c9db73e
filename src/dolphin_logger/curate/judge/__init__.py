"""The judge: what another model says of an example.

    transcript   an example as a text to be rated     verdict   the rating in what the model answered
    calls        the running proxy, asked over HTTP    cache     ratings that were given before
    judge        all of it: estimate, judge, refuse

It speaks to a running proxy and to nobody else, and asks it not to record. The conversations that
are rated go to the judge's provider as they are.
"""

from __future__ import annotations

from dolphin_logger.curate.judge.calls import Proxy
from dolphin_logger.curate.judge.judge import Estimate, Judge, Settings, make
from dolphin_logger.curate.judge.verdict import Verdict

__all__ = ["Estimate", "Judge", "Proxy", "Settings", "Verdict", "make"]
