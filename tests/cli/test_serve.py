import os
import pty
import subprocess
from pathlib import Path

import pytest

from hub.actions.people import setup
from hub.store.database import Store
from tests.simulator import processes
from tests.simulator.processes import free_port

pytestmark = pytest.mark.slow


def test_serve_tells_a_terminal_where_the_page_is_and_the_setup_code(tmp_path: Path) -> None:
    port, (ours, theirs) = free_port(), pty.openpty()
    words = ("serve", "--data", str(tmp_path), "--host", "127.0.0.1", "--port", str(port))
    child = subprocess.Popen((*processes.HUB, *words), stdout=subprocess.PIPE, stderr=theirs, env=processes.environ())
    said = b""
    while b"Setup code: " not in said or not said.endswith(b"\n"):
        said += os.read(ours, 4096)
    child.terminate()
    log, _ = child.communicate(timeout=15)
    os.close(ours)
    os.close(theirs)
    store = Store(tmp_path)
    code = setup.code(store)
    store.close()
    assert code
    assert f"http://127.0.0.1:{port}".encode() in said
    assert code.encode() in said
    assert code.encode() not in log
