"""pytest-celery's own set-up, answered by processes of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from pytest_celery import CeleryTestSetup, CeleryTestWorker, RedisTestBackend, RedisTestBroker, ping

from standup.settings import environment
from tests.local_processes import LocalRedis, LocalWorker

from .conftest import Rig

pytestmark = pytest.mark.integration


@pytest.fixture
def celery_broker(redis: LocalRedis) -> RedisTestBroker:
    return RedisTestBroker(redis)


@pytest.fixture
def celery_backend(redis: LocalRedis) -> RedisTestBackend:
    """Only the rig has a result backend: a ping must come back."""
    return RedisTestBackend(redis)


class OwnAppSetup(CeleryTestSetup):  # type: ignore[misc]
    """Tests our app with our settings instead of one that the plugin makes."""

    @classmethod
    def create_setup_app(cls, celery_setup_config: dict[str, Any], celery_setup_app_name: str) -> Celery:
        app = Celery("standup")
        app.config_from_object("celeryconfig")
        app.conf.update(celery_setup_config, task_default_queue="capture")
        return app


@pytest.fixture
def celery_setup_cls() -> type[CeleryTestSetup]:
    return OwnAppSetup


@pytest.fixture
def celery_worker(
    celery_worker_cluster_config: dict[str, Any], celery_setup_app: Celery, rig: Rig, tmp_path: Path
) -> Iterator[CeleryTestWorker]:
    variables = LocalWorker.initial_env(celery_worker_cluster_config, dict(environment(rig.settings)))
    container = LocalWorker("capture,summarize,notify", tmp_path, variables)
    container.ready()
    yield CeleryTestWorker(container, app=celery_setup_app)
    container.teardown()


def answer() -> str:
    """Ask the worker; our settings ignore results, so this task says that it wants one."""
    return str(ping.s().apply_async(queue="capture", ignore_result=False).get(timeout=60))


def test_a_worker_answers_and_is_controllable(celery_setup: CeleryTestSetup) -> None:
    """The worker answers a ping task and remote control."""
    assert celery_setup.ready(ping=False, control=True, docker=True)
    assert answer() == "pong"


def test_a_worker_outlives_its_broker(celery_setup: CeleryTestSetup) -> None:
    """After redis-server was restarted the worker takes tasks again."""
    celery_setup.broker.restart()
    assert answer() == "pong"
