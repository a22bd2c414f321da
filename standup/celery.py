"""The Celery app. Settings are in ``celeryconfig.py`` at the root; the tasks in `standup.tasks`.

Workers: ``celery -A standup.celery worker -Q capture,summarize,notify`` (CPU) and ``-Q gpu``.
"""

from __future__ import annotations

from celery import Celery

app = Celery("standup")
app.config_from_object("celeryconfig")
