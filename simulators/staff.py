"""People at the hub's HTTP API: field staff who accept, go, arrive and report; for load, an operator at the desk."""

from __future__ import annotations

import asyncio
import math
import random
import ssl
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from simulators.device import Happening
from simulators.pace import Pace
from simulators.roster import StaffSpec
from simulators.scenario import OperatorRules, StaffRules

__all__ = ["FieldStaff", "Operator", "SignedIn", "StaffCounters"]

BACK_OFF_S = (1.0, 30.0)
EARLY_S = 600.0
PRIORITIES = ("critical", "high", "medium", "low")
VISIT_VERBS = {
    "accept": "accept",
    "decline": "decline",
    "en-route": "start",
    "on-scene": "check-in",
    "complete": "check-out",
}
"""An assignment of a visit is reported on the visit, with the visit's own words."""


@dataclass(slots=True)
class StaffCounters:
    """What all simulated people did."""

    done: dict[str, int] = field(default_factory=dict)
    lost_races: int = 0
    troubles: int = 0

    def count(self, action: str) -> None:
        """One more of that action."""
        self.done[action] = self.done.get(action, 0) + 1


class Refused(Exception):  # noqa: N818
    """The hub said no: somebody was first, or the thing has gone. Not an error; the next look shows the new state."""


class SignedIn(ABC):
    """Somebody signed in with a cookie session. `run()` lives until cancelled and gets over every outage of the hub."""

    def __init__(
        self,
        spec: StaffSpec,
        api: str,
        *,
        pace: Pace,
        seed: int,
        poll_s: float,
        counters: StaffCounters,
        tell: Callable[[Happening], None],
        ca_file: str | None = None,
    ) -> None:
        self.spec = spec
        self.pace = pace
        self.rng = random.Random(f"{seed}:staff:{spec.username}")
        self.counters = counters
        self._api = api.rstrip("/")
        self._poll_s = poll_s
        self._tell = tell
        self._ca_file = ca_file
        self._troubled = False
        self.seated = asyncio.Event()
        """Set once the person is signed in."""

    async def run(self) -> None:
        """Signs in, then looks and acts again and again."""
        await asyncio.sleep(self.rng.uniform(0.0, self._first_within_s()))
        wait = BACK_OFF_S[0]
        # Straight to the hub: no proxy of the surroundings belongs between a person and the hub under test.
        async with httpx.AsyncClient(
            base_url=self._api,
            headers={"Sec-Fetch-Site": "same-origin"},
            timeout=30.0,
            trust_env=False,
            verify=self._trust(),
        ) as client:
            signed_in = False
            while True:
                try:
                    if not signed_in:
                        await self._sign_in(client)
                        signed_in = True
                        self.seated.set()
                    pause = await self.look(client)
                    wait = BACK_OFF_S[0]
                    self._recovered()
                except httpx.HTTPStatusError as error:
                    signed_in = signed_in and error.response.status_code != 401
                    pause = max(wait, _retry_after(error.response))
                    wait = min(BACK_OFF_S[1], wait * 2)
                    self._trouble(f"{error.request.method} {error.request.url.path}: {_why(error.response)}")
                except (httpx.TransportError, ValueError, KeyError, TypeError) as error:
                    # The last three: an answer that is not what docs/wire says. Said once, tried again.
                    pause, wait = wait, min(BACK_OFF_S[1], wait * 2)
                    self._trouble(f"{self._api}: {type(error).__name__}: {error}")
                await asyncio.sleep(pause * self.rng.uniform(0.8, 1.0))

    def _first_within_s(self) -> float:
        """Within how many wall seconds the first sign-in comes."""
        return self._poll_s

    @abstractmethod
    async def look(self, client: httpx.AsyncClient) -> float:
        """One look at the work and what is due of it; answers after how many wall seconds to look again."""

    async def get(self, client: httpx.AsyncClient, path: str, **query: str | int) -> Any:
        """GET /api/v1{path}."""
        response = await client.get(f"/api/v1{path}", params=query)
        response.raise_for_status()
        return response.json()

    async def post(self, client: httpx.AsyncClient, path: str, body: Mapping[str, Any], key: str) -> Any:
        """POST /api/v1{path}; `key` makes a second try harmless. Raises Refused for a lost race."""
        response = await client.post(f"/api/v1{path}", json=body, headers={"Idempotency-Key": key[:128]})
        if response.status_code in (403, 404, 409, 412, 422):
            self.counters.lost_races += 1
            raise Refused(_why(response))
        response.raise_for_status()
        return response.json() if response.content else None

    def say(self, what: str, text: str) -> None:
        """Tells the run's listener."""
        self._tell(Happening(self.pace.now(), what, self.spec.username, text, self.spec.name))

    async def _sign_in(self, client: httpx.AsyncClient) -> None:
        body = {"username": self.spec.username, "password": self.spec.password}
        (await client.post("/api/v1/session", json=body)).raise_for_status()

    def _trust(self) -> ssl.SSLContext | bool:
        if not self._api.startswith("https:"):
            return False  # building a TLS context for each person would only cost time
        return ssl.create_default_context(cafile=self._ca_file)

    def _trouble(self, text: str) -> None:
        self.counters.troubles += 1
        if not self._troubled:
            self._troubled = True
            self.say("trouble", text)

    def _recovered(self) -> None:
        if self._troubled:
            self._troubled = False
            self.say("beat", "the hub answers again")


class FieldStaff(SignedIn):
    """Works through `/my/tasks`: accepts (or declines with a reason), sets off, arrives after the way, reports."""

    def __init__(self, spec: StaffSpec, api: str, rules: StaffRules, **shared: Any) -> None:
        super().__init__(spec, api, poll_s=rules.poll_s, **shared)
        self.rules = rules
        self.lat, self.lon = spec.lat, spec.lon
        self._due: dict[tuple[str, str], tuple[float, str]] = {}

    async def look(self, client: httpx.AsyncClient) -> float:
        items = (await self.get(client, "/my/tasks"))["items"]
        wanted = {(item["assignment"]["id"], item["next"]): item for item in items if item.get("next")}
        self._due = {key: due for key, due in self._due.items() if key in wanted}
        # One errand at a time: whoever is under way sets off for nothing else until it is done.
        under_way = any(step in ("on-scene", "complete") for _, step in wanted)
        for key, item in wanted.items():
            if under_way and key[1] == "en-route":
                self._due.pop(key, None)
                continue
            if key not in self._due:
                self._due[key] = self._decide(key[1], item)
            at_s, action = self._due[key]
            if at_s <= self.pace.elapsed():
                await self._act(client, key, action, item)
                under_way = under_way or action == "en-route"
        now = self.pace.elapsed()
        soon = min((at_s - now for at_s, _ in self._due.values()), default=math.inf) / self.pace.speed
        return min(self._poll_s, max(0.05, soon))

    def _decide(self, step: str, item: Mapping[str, Any]) -> tuple[float, str]:
        rules, now = self.rules, self.pace.elapsed()
        if step == "accept":
            action = "decline" if self.rng.random() < rules.decline_share else "accept"
            return now + self.rng.uniform(*rules.accept_s), action
        if step == "en-route":
            return now + max(self.rng.uniform(*rules.leave_s), self._until_wanted_s(item)), step
        if step == "on-scene":
            way_s = self._distance_m(item) * 1.3 / (rules.speed_kmh / 3.6)
            return now + min(rules.travel_max_s, max(20.0, way_s)) * self.rng.uniform(0.85, 1.2), step
        return now + self.rng.uniform(*rules.on_scene_s), step

    def _until_wanted_s(self, item: Mapping[str, Any]) -> float:
        """Scenario seconds until it is time to set off for a planned visit; 0 for an incident."""
        wanted = (item.get("order") or {}).get("wanted_from")
        if not wanted:
            return 0.0
        wait_s = (datetime.fromisoformat(wanted) - self.pace.now()).total_seconds() - EARLY_S
        return max(0.0, wait_s * self.pace.speed)

    async def _act(self, client: httpx.AsyncClient, key: tuple[str, str], action: str, item: Mapping[str, Any]) -> None:
        assignment = item["assignment"]
        body: dict[str, Any] = {}
        if action == "decline":
            body["reason"] = self.rng.choice(self.rules.decline_reasons)
        elif action == "complete":
            body["outcome"] = self.rng.choice(self.rules.outcomes)
        elif action == "on-scene":
            place = _place(item)
            if place is not None:
                self.lat, self.lon = place
                body["fix"] = {"lat": place[0], "lon": place[1], "accuracy_m": 15, "source": "gnss"}
        visit = assignment.get("visit_id")
        path = f"/visits/{visit}/{VISIT_VERBS[action]}" if visit else f"/assignments/{key[0]}/{action}"
        try:
            await self.post(client, path, body, f"{key[0]}-{action}")
        except Refused as refused:
            self.say("refused", f"{action}: {refused}")
        else:
            self.counters.count(action)
            self.say("staff", f"{action} {body.get('reason') or body.get('outcome') or ''}".strip())
        # Whatever came of it: the next look tells the state, and the same step is then decided afresh.
        self._due.pop(key, None)

    def _distance_m(self, item: Mapping[str, Any]) -> float:
        place = _place(item)
        if place is None:
            return 800.0
        north = (place[0] - self.lat) * 111_320.0
        east = (place[1] - self.lon) * 111_320.0 * math.cos(math.radians(self.lat))
        return math.hypot(north, east)


class Operator(SignedIn):
    """Claims the most urgent open incident, talks, sends the best candidate or not, closes. For load scenarios."""

    def __init__(self, spec: StaffSpec, api: str, rules: OperatorRules, **shared: Any) -> None:
        super().__init__(spec, api, poll_s=rules.poll_s, **shared)
        self.rules = rules

    def _first_within_s(self) -> float:
        # Whoever is there so that somebody is signed in had better be there before the first alarm.
        return 0.0 if self.rules.tidy else self._poll_s

    async def look(self, client: httpx.AsyncClient) -> float:
        if self.rules.tidy:
            return await self._tidy(client)
        items = (await self.get(client, "/incidents", state="open", limit=50))["items"]
        items = [item for item in items if item["class"] != "technical"]
        if not items:
            return self._poll_s
        # The first few, not the very first: several operators would otherwise always race for one incident.
        items.sort(key=lambda item: (PRIORITIES.index(item["priority"]), item["first_alarm_at"]))
        incident = self.rng.choice(items[:3])
        await self.pace.sleep(self.rng.uniform(*self.rules.claim_s))
        try:
            await self._handle(client, incident["id"])
        except Refused as refused:
            self.say("refused", str(refused))
        return 0.05

    async def _tidy(self, client: httpx.AsyncClient) -> float:
        items = (await self.get(client, "/incidents", state="in_progress", limit=50))["items"]
        now = self.pace.now()
        for item in items:
            ended = [one["ended_at"] for one in item["assignments"] if one["state"] == "completed"]
            if item["acknowledged_by"] is not None or item["under_way"] or not ended:
                continue
            if (now - datetime.fromisoformat(max(ended))).total_seconds() < self.rules.tidy_after_s:
                continue
            mark = f"tidy-{item['id']}-{item['version']}"
            try:
                await self.post(client, f"/incidents/{item['id']}/acknowledge", {}, f"{mark}-ack")
                body = {"disposition": "genuine", "summary": "现场人员已处置完毕，同事代为办结"}
                await self.post(client, f"/incidents/{item['id']}/close", body, f"{mark}-close")
                self.counters.count("close")
            except Refused as refused:
                self.say("refused", str(refused))
        return self._poll_s

    async def _handle(self, client: httpx.AsyncClient, incident: str) -> None:
        mark = f"{incident}-{self.rng.randrange(1 << 32):08x}"
        await self.post(client, f"/incidents/{incident}/acknowledge", {}, f"{mark}-ack")
        self.counters.count("acknowledge")
        await self.pace.sleep(self.rng.uniform(*self.rules.talk_s))
        disposition, summary = "false", "电话核实：误触，老人平安"
        if self.rng.random() < self.rules.dispatch_share:
            found = (await self.get(client, f"/incidents/{incident}/candidates"))["items"]
            best = next((item for item in found if item.get("eligible", True)), None)
            if best is not None:
                body = {"responder_id": best["responder"]["id"]}
                await self.post(client, f"/incidents/{incident}/assign", body, f"{mark}-assign")
                self.counters.count("assign")
                disposition, summary = "genuine", "已派人到场处置"
                await self._wait_for_end(client, incident)
        body = {"disposition": disposition, "summary": summary}
        await self.post(client, f"/incidents/{incident}/close", body, f"{mark}-close")
        self.counters.count("close")

    async def _wait_for_end(self, client: httpx.AsyncClient, incident: str) -> None:
        until = self.pace.elapsed() + 1800.0
        while self.pace.elapsed() < until:
            current = await self.get(client, f"/incidents/{incident}")
            states = [assignment["state"] for assignment in current["assignments"]]
            if "completed" in states or all(state in ("declined", "stood_down") for state in states):
                return
            await asyncio.sleep(self._poll_s)


def _place(item: Mapping[str, Any]) -> tuple[float, float] | None:
    incident, order = item.get("incident") or {}, item.get("order") or {}
    for spot in (incident.get("fix"), incident.get("resident"), order.get("resident")):
        if spot and spot.get("lat") is not None and spot.get("lon") is not None:
            return float(spot["lat"]), float(spot["lon"])
    return None


def _retry_after(response: httpx.Response) -> float:
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isdigit() else 0.0


def _why(response: httpx.Response) -> str:
    try:
        detail = response.json().get("detail")
    except (ValueError, AttributeError):
        detail = None
    return f"{response.status_code} {detail or response.reason_phrase}"
