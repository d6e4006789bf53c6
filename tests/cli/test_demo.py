"""hikma-hub demo: it is not part of the product, and says where it went."""

import pytest

from tests.cli.conftest import Run


@pytest.mark.parametrize("words", [(), ("--phones", "3", "--no-cloud"), ("--seconds", "5")])
def test_the_demonstration_says_where_it_went(run: Run, words: tuple[str, ...]) -> None:
    done = run("demo", *words)
    assert done.status == 1
    assert "make run" in done.err
