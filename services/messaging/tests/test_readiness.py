"""A process is ready once it has seen its copy of who is who complete: before that it would refuse everybody."""

import pytest

from bookbag import directory
from bookbag.chassis.problems import DependencyAway
from tests.support.house import House


@pytest.mark.req("OPS-4")
async def test_a_process_is_ready_once_its_copy_was_complete_and_stays_so_when_identity_is_silent(
    fresh_house: House,
) -> None:
    async with fresh_house.runtime("messaging") as runtime:
        for position, heard in (("null", "now()"), ("1", "'-infinity'"), ("1", "now() - interval '31 s'")):
            await runtime.database.execute(f"update feed_state set position = {position}, heard_at = {heard}")
            with pytest.raises(DependencyAway, match="identity"):
                await directory.has_heard(runtime)
        await runtime.database.execute("update feed_state set heard_at = now()")
        await directory.has_heard(runtime)
        await runtime.database.execute("update feed_state set heard_at = '-infinity'")
        await directory.has_heard(runtime)
