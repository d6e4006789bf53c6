"""``python -m tests.simulator``: what it refuses and what it offers; tests/journeys/test_demo.py lets it run."""

from click.testing import CliRunner

from tests.simulator.__main__ import demo


def test_a_line_that_fails_needs_a_cloud_at_its_other_end() -> None:
    done = CliRunner().invoke(demo, ["--no-cloud", "--line-fails"])
    assert done.exit_code == 2
    assert "without a cloud there is no line" in done.output


def test_help_names_the_cloud() -> None:
    told = CliRunner().invoke(demo, ["--help"]).output
    assert "--no-cloud" in told
    assert "phones, hub and cloud are compared" in told
