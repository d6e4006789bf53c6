"""A fuzzer that watches which lines it reaches finds no message that the hub cannot answer."""

import subprocess
import sys
from pathlib import Path

import pytest

RUNS = 10_000


@pytest.mark.slow
@pytest.mark.timeout(110)
def test_coverage_guided_fuzzing_finds_no_message_that_the_hub_cannot_answer(tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason="atheris has no wheel for this Python or machine; Hypothesis fuzzes alone")
    bounds = ("-max_total_time=60", "-max_len=4096", "-timeout=20", "-rss_limit_mb=2048")
    options = (f"-runs={RUNS}", *bounds, "-verbosity=0")
    done = subprocess.run(
        (sys.executable, "-m", "tests.adversary.guided", "phones", *options, tmp_path / "corpus"),
        capture_output=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr.decode("utf-8", "replace")[-4000:]
