"""hikma-hub demo: what it refuses and what it offers; tests/journeys/test_demo.py lets it run."""

from tests.cli.conftest import Run


def test_a_line_that_fails_needs_a_cloud_at_its_other_end(run: Run) -> None:
    done = run("demo", "--no-cloud", "--line-fails")
    assert done.status == 2
    assert "without a cloud there is no line" in done.err


def test_help_names_the_cloud(run: Run) -> None:
    told = run("demo", "--help").out
    assert "--no-cloud" in told
    assert "phones, hub and cloud are compared" in told
