"""What is told at the end of a run on the cluster. It needs no cluster itself."""

import pytest

from tests.cluster.figures import lines


@pytest.mark.req("OPS-6")
def test_a_recovery_stands_beside_its_goal_and_one_that_was_too_slow_is_named() -> None:
    slow = {"killed_identity_api": {"longest_silence_seconds": 15.3, "given_up": 0}, "install_to_ready_seconds": 24.0}
    told = {row["figure"]: (row["measured"], row["goal"], row[""]) for row in lines(slow)}
    assert told == {
        "from `helm install` to all pods ready": ("24 s", "", ""),
        "identity-api killed: nobody's message accepted for": ("15.3 s", "≤ 15 s", "MISSED"),
        "identity-api killed: messages given up": ("0", "≤ 0", "holds"),
    }
