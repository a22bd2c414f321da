"""Celery's settings: `app.config_from_object("celeryconfig")` in `standup/celery.py`.

The archive's stage rows are the retry authority; the broker only carries meeting ids. Each value that matters
has its reason on the line above. Behaviour referred to was measured on Celery 5.7 with Redis 7.
"""

from __future__ import annotations

from kombu.entity import Exchange, Queue

from standup.pipeline import (
    EXPIRE,
    EXPIRE_EVERY_S,
    EXPIRE_QUEUE,
    FOLLOW,
    FOLLOW_QUEUE,
    QUEUES,
    SKIM,
    SKIM_QUEUE,
    TASK_NAMES,
)
from standup.settings import load

_settings = load()

broker_url = _settings.broker_url
# Chains work without a result backend; products are rows, and nothing waits for a result.
result_backend = None
task_ignore_result = True

# JSON only: a pickled message is refused. Arguments are meeting ids, so nothing said ends up in a queue.
task_serializer = "json"
accept_content = ["json"]

include = ["standup.tasks", "standup.worker"]
task_queues = [Queue(name, Exchange(name), routing_key=name) for name in sorted(set(QUEUES.values()))]
task_default_queue = "capture"
# A misspelt queue fails at once instead of parking work where nobody looks.
task_create_missing_queues = False
task_routes = {TASK_NAMES[stage]: {"queue": queue} for stage, queue in QUEUES.items()}
task_routes[FOLLOW] = {"queue": FOLLOW_QUEUE}
task_routes[SKIM] = {"queue": SKIM_QUEUE}
task_routes[EXPIRE] = {"queue": EXPIRE_QUEUE}

# Acknowledge after the work, but never let the broker redeliver a crash: that loops for ever on a poison
# message. The stage row frees the work again, with a count.
task_acks_late = True
task_reject_on_worker_lost = False
task_retry_on_worker_lost = False
# False would requeue for ever on Redis.
task_acks_on_failure = True
task_acks_on_timeout = True
# The soft limit lets Python clean up; only the hard one ends a long call inside a C library.
task_soft_time_limit = 5_100
task_time_limit = 5_400
# A stage that ends while Redis is away still publishes the next link within five minutes.
task_publish_retry_policy = {"max_retries": 60, "interval_start": 0.5, "interval_step": 1, "interval_max": 5}

# One task at a time per worker: a worker that is busy and fetches nothing survives a Redis outage.
worker_concurrency = 1
worker_prefetch_multiplier = 1
# A CTranslate2 model does not survive a fork; a spawned child loads its own, on first use.
worker_pool_start_method = "spawn"
# The default of 4 s kill-loops a child that is slow to start on a busy box.
worker_proc_alive_timeout = 120
# True loses the task when broker and results share one Redis.
worker_cancel_long_running_tasks_on_connection_loss = False
worker_soft_shutdown_timeout = 30
# Flower reads these.
worker_send_task_events = True
# Would make one metrics label set per producing process.
task_send_sent_event = False
worker_hijack_root_logger = False
# standup.logs writes the lines; nothing of ours prints.
worker_redirect_stdouts = False

broker_connection_retry_on_startup = True
broker_connection_max_retries = None
broker_transport_options = {
    # Longer than any task's time limit: a shorter one runs tasks twice.
    "visibility_timeout": 7_200,
    # A killed worker's message is back within seconds of its time instead of a minute and a half.
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 1,
    # A frozen Redis must not block a publisher for ever.
    "socket_timeout": 10,
    "socket_connect_timeout": 3,
    "socket_keepalive": True,
    "global_keyprefix": "standup:",
}

# Publishes what the rows say, and again what has stood still (the recorder has a dispatcher of its own).
beat_schedule = {
    "dispatch": {"task": "standup.dispatch", "schedule": 15.0, "options": {"expires": 15}},
    # Deletes what is too old; one that was not taken before the next is sent is not needed any more.
    "expire": {"task": EXPIRE, "schedule": float(EXPIRE_EVERY_S), "options": {"expires": EXPIRE_EVERY_S}},
}
beat_schedule_filename = str(_settings.data_dir / "beat-schedule")
