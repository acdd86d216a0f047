import pytest

from tools.bootstrap import cluster_tools


@pytest.fixture(autouse=True, scope="session")
def programs() -> None:
    if reason := cluster_tools.why_not():
        pytest.skip(reason)
