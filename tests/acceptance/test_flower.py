"""The monitoring page as an operator opens it, after a meeting has gone through the workers."""

from __future__ import annotations

import base64
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import pytest

from standup.archive import Archive
from standup.meeting import MeetingState
from standup.pipeline import STAGES, Stage
from standup.settings import Settings, environment, load
from standup.supervision import programs
from tests.browser import CHROMIUM, browse
from tests.local_processes import LocalProcess, LocalRedis, LocalWorker

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

ROOT = Path(__file__).parents[2]
PASSWORD = "a-password-of-this-test"
FINISH_S = 60.0
DISPATCH = "standup.dispatch"
LOOK_EVERY_S = 0.2


class FlowerProcess(LocalProcess):
    """The program `flower` of the table, on a port of its own."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        (settings.data_dir / "flower").mkdir(parents=True, exist_ok=True)
        fixed = f"--port={programs.FLOWER_PORT}"
        argv = [
            f"--port={self.port}" if word == fixed else word for word in programs.command("flower", settings)
        ]
        variables = {**environment(settings), **programs.environment("flower", settings)}
        super().__init__(argv, "flower", folder, {**variables, "PYTHONPATH": str(ROOT)})

    @property
    def ready_prompt(self) -> str:
        return "Visit me at"

    def get(self, path: str, password: str | None = PASSWORD) -> tuple[int, str]:
        """Return status and body of a page."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}")
        if password is not None:
            credentials = base64.b64encode(f"standup:{password}".encode()).decode()
            request.add_header("Authorization", f"Basic {credentials}")
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refusal:
            return refusal.code, ""

    def has_seen(self, words: str, path: str = "/metrics") -> bool:
        """Wait until a page says *words*."""
        deadline = time.monotonic() + FINISH_S
        while words not in self.get(path)[1]:
            if time.monotonic() > deadline:
                return False
            time.sleep(LOOK_EVERY_S)
        return True


@dataclass
class Page:
    """Flower after one meeting was worked off."""

    flower: FlowerProcess
    meeting: str
    settings: Settings


@contextmanager
def process(one: LocalProcess) -> Iterator[LocalProcess]:
    """Wait for a process to be ready, and end it after the block."""
    try:
        one.ready()
        yield one
    finally:
        one.teardown()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A real Redis, Flower and worker, and one imported meeting that they have worked off."""
    folder = tmp_path_factory.mktemp("flower")
    with process(LocalRedis(folder)) as redis:
        assert isinstance(redis, LocalRedis)
        settings = load(
            None,
            data_dir=folder / "data",
            log_dir=folder / "logs",
            broker_url=redis.url,
            whisper_model="tiny.en",
            whisper_device="cpu",
            flower_password=PASSWORD,
        )
        flower = FlowerProcess(settings, folder)
        worker = LocalWorker("capture,summarize,notify,gpu", folder, dict(environment(settings)))
        with process(flower), process(worker):
            yield Page(flower, work_off(settings, folder), settings)


def work_off(settings: Settings, folder: Path) -> str:
    """Import a spoken file as a meeting, wait until its stages are done, and return its id."""
    spoken = folder / "Ana.wav"
    subprocess.run(
        ["flite", "-voice", "slt", "-t", "I finished the login page.", spoken], check=True, timeout=30
    )
    archive = Archive.of(settings)
    try:
        archive.migrate()
        variables = {**os.environ, **environment(settings), "PYTHONPATH": str(ROOT)}
        # The second is what beat does every 15 s: publish what the rows say.
        for words in (
            ["standup", "import", f"Ana={spoken}"],
            ["celery", "-A", "standup.celery", "call", DISPATCH],
        ):
            subprocess.run(
                [sys.executable, "-m", *words],
                env=variables,
                check=True,
                capture_output=True,
                timeout=FINISH_S,
            )
        deadline = time.monotonic() + FINISH_S
        meeting = archive.meetings(1)[0].id
        while archive.meeting(meeting).state is not MeetingState.DONE:
            assert time.monotonic() < deadline, archive.statuses(meeting)
            time.sleep(LOOK_EVERY_S)
        return meeting
    finally:
        archive.close()


class Rows(HTMLParser):
    """The cells of every row in a table's body."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._is_in_body = self._is_in_cell = False

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "tbody":
            self._is_in_body = True
        elif tag == "tr" and self._is_in_body:
            self.rows.append([])
        elif tag == "td" and self.rows:
            self._is_in_cell = True
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "tbody":
            self._is_in_body = False
        elif tag == "td":
            self._is_in_cell = False

    def handle_data(self, data: str) -> None:
        if self._is_in_cell:
            self.rows[-1][-1] += data


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (./setup.sh --dev)")
def test_the_page_shows_stages_and_meeting(page: Page, tmp_path: Path) -> None:
    """A browser that is given the password shows one row per stage, each with the meeting's id and SUCCESS."""
    assert page.flower.has_seen('task="standup.notify",type="task-succeeded"')
    address = f"http://standup:{PASSWORD}@127.0.0.1:{page.flower.port}/tasks"
    shown = browse(address, tmp_path, "--virtual-time-budget=10000", "--dump-dom")
    reader = Rows()
    reader.feed(shown)
    found = {cells[0].strip(): " ".join(cells) for cells in reader.rows if cells}
    stages = [
        f"standup.{one.value}" for one in STAGES if one is not Stage.CAPTURE
    ]  # an import is captured already
    assert set(stages) <= set(found), shown[-3000:]
    assert all(page.meeting in found[one] and "SUCCESS" in found[one] for one in stages)


@pytest.mark.parametrize("password", [None, "wrong"], ids=["none", "a wrong one"])
@pytest.mark.parametrize("path", ["/", "/tasks", "/api/tasks", "/workers"])
def test_nobody_looks_without_the_password(path: str, password: str | None, page: Page) -> None:
    """Without the right password each page answers 401; with it, it opens."""
    assert 401 == page.flower.get(path, password)[0]
    assert 200 == page.flower.get(path)[0]


def test_nobody_acts_even_with_it(page: Page) -> None:
    """Whoever may look cannot shut a worker down."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{page.flower.port}/api/worker/shutdown/any", data=b"", method="POST"
    )
    request.add_header("Authorization", f"Basic {base64.b64encode(f'standup:{PASSWORD}'.encode()).decode()}")
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(request, timeout=10)


def test_the_process_list_shows_no_secret(page: Page) -> None:
    """Neither the password nor the cookie secret stands in the argument vector, which every user can read."""
    argv = Path(f"/proc/{page.flower.pid}/cmdline").read_text()
    secrets = programs.environment("flower", page.settings)
    assert "flower" in argv
    assert PASSWORD not in argv
    assert secrets["FLOWER_COOKIE_SECRET"] not in argv


def test_it_listens_on_this_machine_only(page: Page) -> None:
    """The port is bound to 127.0.0.1 and nothing else."""
    listening = [
        fields[1].split(":")[0]
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        for fields in map(str.split, Path(table).read_text().splitlines()[1:])
        if fields[3] == "0A" and int(fields[1].split(":")[1], 16) == page.flower.port
    ]
    assert ["0100007F"] == listening


def test_the_dashboard_reads_what_flower_tells(page: Page) -> None:
    """Every metric that the Grafana dashboard asks for is in Flower's /metrics."""
    assert page.flower.has_seen("flower_task_runtime_seconds_bucket")
    told = set(re.findall(r"^(flower_\w+)", page.flower.get("/metrics", None)[1], re.MULTILINE))
    dashboard = json.loads((ROOT / "docs/grafana.json").read_text())
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    asked = {name for one in expressions for name in re.findall(r"flower_\w+", one)}
    assert len(asked) >= 4
    assert asked <= told


def test_the_rows_outlive_a_restart(page: Page) -> None:
    """After a restart the tasks are there again."""
    page.flower.restart()
    assert page.flower.has_seen(page.meeting, "/api/tasks")
