"""One provider and one proxy for a whole file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.pair import Pair, two_models
from tests.support.provider import FakeProvider
from tests.support.proxy import Proxy


@pytest.fixture(scope="module")
def running_pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Run both; at the end no defect of the proxy may have shown in its log."""
    home = tmp_path_factory.mktemp("home")
    with FakeProvider() as provider, Proxy(home, two_models(provider.base)) as proxy:
        yield Pair(provider, proxy)
        assert "Traceback" not in proxy.output(), proxy.output()
        assert proxy.process is not None
        assert proxy.process.poll() is None, proxy.output()


@pytest.fixture
def pair(running_pair: Pair) -> Pair:
    """The running pair, with nothing left of earlier tests."""
    running_pair.begin()
    return running_pair
