"""Decide about each REST call before it is done: planned failures, token, rate limit.

The order is Discord's: a failing edge answers before anybody looks at the token, and every answer carries the
rate-limit headers of its bucket. https://discord.com/developers/docs/topics/rate-limits
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web

from .answers import ApiError, answer_json
from .faults import PlannedFailure

API_PREFIX = "/api/v10"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
#: Calls and seconds of each bucket; what is not named has the last one.
LIMITS = {
    "POST /channels/{channel_id}/messages": (5, 5.0),
    "PATCH /channels/{channel_id}/messages/{message_id}": (5, 5.0),
}
OTHER_LIMIT = (50, 1.0)
#: Routes that carry their own token in the path.
TOKENLESS = ("/webhooks/", "/interactions/", "/gateway")


@dataclass(slots=True)
class Bucket:
    """The calls of one rate limit in its running window.

    The time is an argument, in seconds.
    """

    limit: int
    window_s: float
    _calls: deque[float] = field(default_factory=deque)

    def take(self, now_s: float) -> float:
        """Count one call and return 0, or return how long to wait and count nothing."""
        while self._calls and self._calls[0] <= now_s - self.window_s:
            self._calls.popleft()
        if len(self._calls) >= self.limit:
            return self._calls[0] + self.window_s - now_s
        self._calls.append(now_s)
        return 0.0

    def remaining(self) -> int:
        """Say how many calls the window still has."""
        return self.limit - len(self._calls)

    def reset_after_s(self, now_s: float) -> float:
        """Say when the oldest call leaves the window."""
        return max(0.0, self._calls[0] + self.window_s - now_s) if self._calls else self.window_s


class Admission:
    """The gate in front of every REST call.

    Owned by the event loop of the loopback Discord. *complain* takes a sentence for calls to routes that Discord or
    its loopback does not have.
    """

    def __init__(self, token: str, complain: Callable[[str], None]) -> None:
        self.failures: list[PlannedFailure] = []
        self.calls: deque[str] = deque(maxlen=10_000)
        """The routes called, oldest first, as ``METHOD /path/{parameter}``."""
        self._token = token
        self._complain = complain
        self._buckets: dict[str, Bucket] = {}

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let a call through to *handler*, or answer it here."""
        route = route_of(request)
        if route is None:
            return await self._answer_stranger(request, handler)
        self.calls.append(route)
        failure = self._planned(route)
        if failure:
            return _fail(failure)
        bucket, now_s = self._bucket(route, request), time.monotonic()
        wait_s = bucket.take(now_s)
        if wait_s:
            return _limit(wait_s, _rate_headers(route, bucket, now_s))
        try:
            self._check_token(route, request)
            response = await handler(request)
        except ApiError as error:
            response = answer_json(error.body(), error.status)
        response.headers.update(_rate_headers(route, bucket, now_s))
        return response

    async def _answer_stranger(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith(API_PREFIX):
            self._complain(f"The bot called {request.method} on a route that the loopback does not have.")
            return answer_json({"message": "404: Not Found", "code": 0}, 404)
        return await handler(request)

    def _planned(self, route: str) -> PlannedFailure | None:
        for failure in self.failures:
            if failure.route == route:
                failure.times -= 1
                if failure.times == 0:
                    self.failures.remove(failure)
                return failure
        return None

    def _check_token(self, route: str, request: web.Request) -> None:
        path = route.split(" ", 1)[1]
        if path.startswith(TOKENLESS) and path != "/gateway/bot":
            return
        given = request.headers.get("Authorization", "")
        if not secrets.compare_digest(given, f"Bot {self._token}"):
            raise ApiError(401, 0, "401: Unauthorized")

    def _bucket(self, route: str, request: web.Request) -> Bucket:
        major = "channel_id", "guild_id", "interaction_token"
        key = " ".join([route, *(request.match_info.get(name, "") for name in major)])
        if key not in self._buckets:
            self._buckets[key] = Bucket(*LIMITS.get(route, OTHER_LIMIT))
        return self._buckets[key]


def route_of(request: web.Request) -> str | None:
    """Name the route that a call matched, or None for anything outside API v10."""
    resource = request.match_info.route.resource
    if resource is None or not resource.canonical.startswith(API_PREFIX):
        return None
    return f"{request.method} {resource.canonical[len(API_PREFIX) :]}"


def _rate_headers(route: str, bucket: Bucket, now_s: float) -> dict[str, str]:
    reset_after_s = bucket.reset_after_s(now_s)
    return {
        "X-RateLimit-Limit": str(bucket.limit),
        "X-RateLimit-Remaining": str(bucket.remaining()),
        "X-RateLimit-Reset": f"{time.time() + reset_after_s:.3f}",
        "X-RateLimit-Reset-After": f"{reset_after_s:.3f}",
        "X-RateLimit-Bucket": hashlib.sha256(route.encode()).hexdigest()[:32],
        "Via": "1.1 loopback",
    }


def _fail(failure: PlannedFailure) -> web.Response:
    if failure.status == 429:
        return _limit(failure.retry_after_s, {"Via": "1.1 loopback"})
    return answer_json({"message": f"{failure.status}: Server Error", "code": 0}, failure.status)


def _limit(wait_s: float, headers: dict[str, str]) -> web.Response:
    body = {"message": "You are being rate limited.", "retry_after": round(wait_s, 3), "global": False}
    extra = {"Retry-After": str(int(wait_s) + 1), "X-RateLimit-Scope": "user"}
    return answer_json(body, 429, headers | extra)
