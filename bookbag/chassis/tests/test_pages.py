"""Cursors carry a place and nothing that could be anything else."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bookbag.chassis.pages import decode, encode, page
from bookbag.chassis.problems import Problem


@given(some.text(max_size=50), some.integers(-(2**53), 2**53))
def test_a_cursor_comes_back_as_it_was(text: str, number: int) -> None:
    assert decode(encode([text, number]), str, int) == [text, number]


@given(some.text(max_size=100))
def test_any_other_text_is_refused_in_words(text: str) -> None:
    with pytest.raises(Problem, match="invalid-input"):
        decode(text, str, int, str, int)


def test_the_last_page_says_that_it_is_the_last() -> None:
    whole = page([1, 2, 3], 3, str, lambda row: [row])
    assert (whole.items, whole.next) == (["1", "2", "3"], None)
    part = page([1, 2, 3, 4], 3, str, lambda row: [row])
    assert part.next is not None
    assert decode(part.next, int) == [3]
