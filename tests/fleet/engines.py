"""A fleet server as the role makes it: its own templates, started with the programs from Debian, on loopback."""

import getpass
import json
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import jinja2
import psutil
import pytest
import yaml

from hub.services.fleet.client import FleetServer
from tests.outside import PROJECT, tool
from tests.simulator import processes

ROLE = PROJECT / "ansible/roles/fleet"
PACKAGE = "apt install victoria-metrics prometheus nginx"
TOKENS = {"north": "token-of-north-0001", "south": "token-of-south-0002"}
PERSON = ("amal", "four words are enough")
_READY_S = 20.0


def variables(**given: object) -> dict[str, Any]:
    """Return the role's variables: its defaults, and what it must be given."""
    found: dict[str, Any] = yaml.safe_load((ROLE / "defaults/main.yml").read_text("utf-8"))
    hubs = [{"name": name, "token": token} for name, token in TOKENS.items()]
    people = [{"name": PERSON[0], "password": PERSON[1]}]
    return {**found, "fleet_host_name": "localhost", "fleet_hubs": hubs, "fleet_people": people, **given}


def rendered(name: str, given: Mapping[str, Any]) -> str:
    """Render a template as Ansible does."""
    world = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ROLE / "templates"),
        trim_blocks=True,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  no HTML
    )
    world.filters["password_hash"] = _password_hash
    world.filters["hash"] = lambda text, _kind: text.encode().hex()
    world.filters["regex_escape"] = lambda text: text.replace(".", "\\.")
    return world.get_template(name).render(given)


def _password_hash(password: str, _kind: str, salt: str) -> str:
    words = ["openssl", "passwd", "-6", "-salt", salt, password]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


class Used(NamedTuple):
    """Seconds of processor time, and bytes of memory."""

    cpu_s: float
    rss: int


@dataclass
class Fleet:
    """A running fleet server; ``url`` is its front, behind TLS."""

    folder: Path
    database_port: int
    tls_port: int
    given: dict[str, Any]
    _children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Return where hubs report."""
        return f"https://localhost:{self.tls_port}"

    @property
    def ca(self) -> Path:
        """Return the certificate that hubs are given."""
        return self.folder / "certificate.pem"

    def server(self, name: str = "north", token: str = "") -> FleetServer:
        """Return what a hub is enrolled with."""
        return FleetServer(self.url, token or TOKENS[name], self.ca)

    def start(self, name: str, *words: str, port: int) -> None:
        """Start a program and wait until it listens."""
        with (self.folder / f"{name}.log").open("ab") as log:
            self._children[name] = subprocess.Popen([tool(words[0], PACKAGE), *words[1:]], stdout=log, stderr=log)
        deadline = time.monotonic() + _READY_S
        while time.monotonic() < deadline:
            try:
                httpx.get(f"http://127.0.0.1:{port}/", timeout=2)
            except httpx.RemoteProtocolError:
                return  # it speaks TLS
            except httpx.TransportError:
                assert self._children[name].poll() is None, processes.last_words(self.folder / f"{name}.log")
                time.sleep(0.02)
            else:
                return
        pytest.fail(processes.last_words(self.folder / f"{name}.log"))

    def stop(self, name: str) -> None:
        """End a program."""
        processes.end(self._children.pop(name))

    def start_database(self, *more: str) -> None:
        """Start VictoriaMetrics with the role's own arguments, but for where its data is."""
        line = rendered("victoria-metrics.j2", self.given).split('ARGS="', 1)[1].rstrip('"\n').split()
        line = [word for word in line if not word.startswith("-storageDataPath")]
        line += [f"-storageDataPath={self.folder / 'data'}", "-memory.allowedBytes=256MB"]
        self.start("database", "victoria-metrics", *line, *more, port=self.database_port)

    def start_front(self) -> None:
        """Start vmauth and nginx as the role configures them."""
        gate = self.folder / "gate.yml"
        gate.write_text(rendered("gate.yml.j2", self.given))
        port = self.given["fleet_gate_port"]
        self.start("gate", "vmauth", f"-httpListenAddr=127.0.0.1:{port}", f"-auth.config={gate}", port=port)
        (self.folder / "people").write_text(rendered("people.j2", self.given))
        (self.folder / "people").chmod(0o644)
        site = rendered("nginx.conf.j2", self.given)
        own = self.folder / "nginx.conf"
        temp = "".join(
            f"{kind}_temp_path {self.folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        own.write_text(
            f"daemon off;\nuser {getpass.getuser()};\npid {self.folder}/nginx.pid;\nevents {{}}\nhttp {{\n{temp}"
            f"types {{ text/html html; application/javascript js; text/css css; }}\n{site}}}\n"
        )
        self.start("front", "nginx", "-e", f"{self.folder}/nginx.log", "-c", str(own), port=self.tls_port)

    def flush(self) -> None:
        """Make what was written visible to queries."""
        httpx.get(f"http://127.0.0.1:{self.database_port}/internal/force_flush", timeout=10)

    def points(self, selector: str) -> dict[str, list[tuple[int, float]]]:
        """Return the raw samples of all series of a selector, by hub, oldest first; waits for the first ones."""
        deadline, text = time.monotonic() + _READY_S, ""
        while not text and time.monotonic() < deadline:
            self.flush()
            answer = httpx.get(
                f"http://127.0.0.1:{self.database_port}/api/v1/export",
                params={"match[]": selector, "end": str(time.time() + 60)},
                timeout=30,
            )
            assert answer.status_code == 200, answer.text
            text = answer.text
        found: dict[str, list[tuple[int, float]]] = {}
        for line in text.splitlines():
            series = json.loads(line)
            points = list(zip(series["timestamps"], series["values"], strict=True))
            found.setdefault(series["metric"].get("hub", ""), []).extend(points)
        return {name: sorted(points) for name, points in found.items()}

    def query(self, query: str, *, flush: bool = True, **params: str) -> list[dict[str, Any]]:
        """Ask as the page and the rules do."""
        if flush:
            self.flush()
        answer = httpx.get(
            f"http://127.0.0.1:{self.database_port}/api/v1/query", params={"query": query, **params}, timeout=30
        )
        assert answer.status_code == 200, answer.text
        result: list[dict[str, Any]] = answer.json()["data"]["result"]
        return result

    def post_lines(self, name: str, hub: str, times: list[int]) -> None:
        """Write ones into the database, past the gate."""
        lines = "".join(f'{name}{{hub="{hub}"}} 1 {at}\n' for at in times)
        httpx.post(f"http://127.0.0.1:{self.database_port}/api/v1/import/prometheus", content=lines.encode())

    def start_alerts(self, rules: Path) -> None:
        """Start vmalert on rules, as often evaluated as a test needs."""
        port, database = self.given["fleet_alerts_port"], f"http://127.0.0.1:{self.database_port}"
        words = (f"-rule={rules}", f"-datasource.url={database}", f"-remoteWrite.url={database}")
        quick = (f"-httpListenAddr=127.0.0.1:{port}", "-evaluationInterval=1s", f"-notifier.url={database}")
        self.start("alerts", "vmalert", *words, *quick, port=port)

    def firing(self, name: str) -> set[str]:
        """Wait until an alert fires; returns for which hubs."""
        deadline = time.monotonic() + _READY_S
        while time.monotonic() < deadline:
            answer = httpx.get(f"http://127.0.0.1:{self.given['fleet_alerts_port']}/api/v1/alerts", timeout=5)
            alerts = answer.json()["data"]["alerts"] or []
            found = {one["labels"]["hub"] for one in alerts if (one["name"], one["state"]) == (name, "firing")}
            if found:
                return found
            time.sleep(0.1)
        return set()

    def used(self) -> dict[str, Used]:
        """Return what each program has used so far, its children too."""
        found = {}
        for name, child in self._children.items():
            every = [psutil.Process(child.pid), *psutil.Process(child.pid).children(recursive=True)]
            times = [one.cpu_times() for one in every]
            found[name] = Used(sum(one.user + one.system for one in times), sum(one.memory_info().rss for one in every))
        return found

    def end(self) -> None:
        """End everything."""
        for name in list(self._children):
            self.stop(name)


@contextmanager
def fleet(folder: Path, **given: object) -> Iterator[Fleet]:
    """Run a fleet server."""
    tool("victoria-metrics", PACKAGE)
    folder.mkdir(parents=True, exist_ok=True)
    ports = {
        f"fleet_{name}_port": processes.free_port() for name in ("tls", "gate", "database", "alerts", "alertmanager")
    }
    found = variables(fleet_folder=str(folder), fleet_pages=str(ROLE / "files"), **ports, **given)
    made = Fleet(folder, found["fleet_database_port"], found["fleet_tls_port"], found)
    with ExitStack() as stack:
        stack.callback(made.end)
        _certificate(folder)
        made.start_database()
        made.start_front()
        yield made


def _certificate(folder: Path) -> None:
    """Make the certificate with the command of the role."""
    tasks = yaml.safe_load((ROLE / "tasks/main.yml").read_text("utf-8"))
    cmd = next(task for task in tasks if "certificate of its own" in task["name"])["ansible.builtin.command"]["cmd"]
    world = jinja2.Environment(autoescape=False)  # noqa: S701  no HTML
    world.tests["match"] = lambda _text, _pattern: False
    words = world.from_string(cmd).render(fleet_host_name="localhost", fleet_folder=str(folder)).split()
    subprocess.run([shutil.which(words[0]) or words[0], *words[1:]], check=True, capture_output=True)
