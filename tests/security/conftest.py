"""One app for each file of tests."""

from collections.abc import Iterator

import pytest
from served import Served, serving


@pytest.fixture(scope="module")
def app() -> Iterator[Served]:
    with serving() as served:
        yield served
