"""The operator console in a real browser: how soon the first row stands, and how it holds up under 50 changes a second.

    python -m benchmarks.console [--rows 5000] [--seconds 20] [--rate 50] [--json FILE]

The pages are the built ones, served by the hub's own code; behind them stands a stage that answers like the API with
made-up incidents, so that only the page is measured and not a database. Numbers: from asking for the page to its first
row (300 active incidents, signed in by the cookie), frames a second, the main thread's share, and from the moment a
critical event is written to the stream to the frame that shows its row. Needs Debian's chromium.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import shutil
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from benchmarks.figures import percentile
from hub.clock import monotonic, utc_now
from hub.console import mount_console

__all__ = ["Stage", "measure", "measure_first_row", "open_stage"]

Json = dict[str, Any]
_TYPES = (("sos", "emergency", "critical"), ("inactivity", "emergency", "high"), ("bed_exit", "health", "medium"))
_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
_FIRST_FRAME = b"retry: 1000\n\n"

_WATCH = """
() => {
  const seen = (globalThis.__seen = {})
  const frames = (globalThis.__frames = [])
  const tick = (now) => {
    if (!globalThis.__counting) return
    frames.push(now)
    requestAnimationFrame(tick)
  }
  globalThis.__count = (on) => { globalThis.__counting = on; if (on) requestAnimationFrame(tick) }
  const look = (node) => {
    if (node.nodeType !== 1) return
    const rows = node.matches?.('[data-incident]') ? [node] : node.querySelectorAll?.('[data-incident]') ?? []
    for (const row of rows) {
      const id = row.dataset.incident
      if (!(id in seen)) { seen[id] = null; requestAnimationFrame(() => (seen[id] = Date.now())) }
    }
  }
  new MutationObserver((all) => {
    for (const one of all) {
      for (const node of one.addedNodes) look(node)
      if (one.type === 'attributes') look(one.target)
    }
  }).observe(document, { childList: true, subtree: true, attributes: true, attributeFilter: ['data-incident'] })
}
"""


class Stage:
    """Incidents that live in memory, and the streams that tell of their changes."""

    def __init__(self, rows: int, seed: int = 7) -> None:
        self._random = random.Random(seed)
        self._begun = utc_now()
        self._rows = rows
        self.seq = 1
        self.incidents: list[Json] = []
        self.written: dict[str, float] = {}
        self._fresh: list[Json] = []
        self._queues: set[asyncio.Queue[bytes]] = set()
        for number in range(rows):
            # Nothing critical from the start: what is measured comes in on top, where the eye is.
            self.incidents.append(self._incident(number + 1, *_TYPES[1 + number % 2]))

    def _incident(
        self, number: int, kind: str, alarm_class: str, priority: str, opened: datetime | None = None
    ) -> Json:
        rng = self._random
        at = (opened or self._begun - timedelta(seconds=rng.uniform(0, 3600))).isoformat()
        ident = f"00000000-0000-7000-8000-{number:012d}"
        name = rng.choice(_SURNAMES) + rng.choice("桂兰秀英国华建军玉梅")
        point = {"lat": 31.33 + rng.uniform(-0.03, 0.03), "lon": 118.38 + rng.uniform(-0.03, 0.03)}
        resident = {
            "id": f"R-{number:05d}",
            "name": name,
            "age": rng.randint(65, 98),
            "sex": "f",
            "phone": "13900000000",
        }
        resident |= {"address": f"柳岸新村 {number % 40} 幢 {number % 6} 单元", **point, "lives_alone": False}
        resident |= {"status": "home", "warnings": []}
        area = {"id": "G1", "name": f"第{number % 9}网格", "kind": "grid", "path": []}
        empty = dict.fromkeys(
            (
                "device",
                "fix",
                "acknowledged_by",
                "acknowledged_at",
                "lease_until",
                "due_at",
                "due_step",
                "shelved_until",
            )
        )
        empty |= dict.fromkeys(("shelve_reason", "disposition", "summary", "resolved_by", "resolved_at"))
        empty |= dict.fromkeys(("supervised_by", "supervised_at"))
        return {
            **empty,
            "id": ident,
            "number": number,
            "seq": 1,
            "version": 1,
            "state": "open",
            "class": alarm_class,
            "type": kind,
            "types": [kind],
            "priority": priority,
            "subject": f"resident:{number}",
            "resident": resident,
            "area": area,
            "alarms": 1,
            "opened_at": at,
            "first_alarm_at": at,
            "last_alarm_at": at,
            "assignments": [],
            "reasons": [],
            "supervision": "none",
            "on_scene": False,
            "under_way": False,
        }

    def raise_one(self) -> Json:
        """A new critical incident, told at once."""
        incident = self._incident(len(self.incidents) + 1, *_TYPES[0], opened=utc_now())
        self.incidents.append(incident)
        self._tell("incident.raised", incident, "raised")
        self.written[incident["id"]] = utc_now().timestamp()
        self._fresh.append(incident)
        if len(self._fresh) > 8:
            # Somebody takes the oldest: those that wait stay within the rows in sight, as at a desk that works.
            taken = self._fresh.pop(0)
            taken |= {"state": "acknowledged", "acknowledged_by": {"id": "u2", "name": "李强"}}
            self._tell("incident.updated", taken, "acknowledged")
        return incident

    def change_some(self, count: int) -> None:
        """Presses, claims and releases of incidents that stand anywhere in the list."""
        for _ in range(count):
            incident = self.incidents[self._random.randrange(self._rows)]
            incident["alarms"] += 1
            incident["last_alarm_at"] = utc_now().isoformat()
            held = incident["acknowledged_by"] is None and self._random.random() < 0.5
            incident["state"] = "acknowledged" if held else "open"
            incident["acknowledged_by"] = {"id": "u2", "name": "李强"} if held else None
            self._tell("incident.updated", incident, "pressed")

    def _tell(self, name: str, incident: Json, kind: str) -> None:
        self.seq += 1
        incident["seq"] = self.seq
        incident["version"] += 1
        entry = {"seq": self.seq, "at": utc_now().isoformat(), "kind": kind, "actor": None, "body": {}}
        data = json.dumps({"incident": incident, "entry": entry}, ensure_ascii=False)
        frame = f"id: b-{self.seq}\nevent: {name}\ndata: {data}\n\n".encode()
        for queue in self._queues:
            queue.put_nowait(frame)

    async def stream(self) -> AsyncIterator[bytes]:
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        self._queues.add(queue)
        try:
            yield _FIRST_FRAME + self._beat()
            while True:
                try:
                    yield await asyncio.wait_for(queue.get(), 4)
                except TimeoutError:
                    yield self._beat()
        finally:
            self._queues.discard(queue)

    def _beat(self) -> bytes:
        body = {"server_time": utc_now().isoformat(), "open": len(self.incidents), "database": True}
        return f"event: hb\ndata: {json.dumps(body)}\n\n".encode()

    def app(self) -> FastAPI:
        """The part of the API the console asks for, and the built pages."""
        app = FastAPI()
        base = "/api/v1"

        async def session(_request: Request) -> Json:
            user = {"id": "u1", "username": "u", "name": "周敏", "role": "operator", "person_id": None}
            user |= {"language": "zh", "theme": "light"}
            now = utc_now()
            body = {"user": user, "on_duty": True, "expires_at": (now + timedelta(hours=9)).isoformat()}
            return body | {"server_time": now.isoformat(), "time_zone": "Asia/Shanghai"}

        async def incidents(request: Request) -> Json:
            limit, begin = int(request.query_params.get("limit", "500")), int(request.query_params.get("cursor", "0"))
            part = self.incidents[begin : begin + limit]
            following = str(begin + limit) if begin + limit < len(self.incidents) else None
            return {"items": part, "next": following, "cursor": f"b-{self.seq}"}

        async def summary() -> Json:
            body: Json = {"unclaimed": dict.fromkeys(("critical", "high", "medium", "low"), 0), "mine": 0}
            body |= {"last_alarm_at": None, "devices": {"online": 1, "total": 1}, "technical_open": 0}
            return body | {"server_time": utc_now().isoformat(), "cursor": f"b-{self.seq}"}

        async def stream() -> Response:
            return StreamingResponse(
                self.stream(), media_type="text/event-stream", headers={"Cache-Control": "no-cache"}
            )

        async def nothing() -> Json:
            return {"items": [], "next": None}

        app.add_api_route(f"{base}/session", session)
        app.add_api_route(f"{base}/incidents", incidents)
        app.add_api_route(f"{base}/summary", summary)
        app.add_api_route(f"{base}/stream", stream)
        for name in ("areas", "stations", "responders", "service-kinds", "presence"):
            app.add_api_route(f"{base}/{name}", nothing)
        mount_console(app)
        return app


@contextmanager
def open_stage(rows: int) -> Iterator[tuple[Stage, str, asyncio.AbstractEventLoop]]:
    """The stage on a free port of this machine, in a thread of its own."""
    stage = Stage(rows)
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(stage.app(), log_level="error", timeout_graceful_shutdown=1))
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_until_complete, args=(server.serve(sockets=[listening]),), daemon=True)
    thread.start()
    try:
        yield stage, f"http://127.0.0.1:{port}", loop
    finally:
        server.should_exit = True
        thread.join(10)


def _page(browser: Browser, *, width: int = 1920, height: int = 1080) -> Page:
    context = browser.new_context(viewport={"width": width, "height": height}, locale="zh-CN")
    page = context.new_page()
    page.add_init_script(f"({_WATCH})()")
    return page


def measure_first_row(browser: Browser, tries: int = 5) -> Json:
    """Milliseconds from asking for the page to the frame with the first row, 300 incidents active."""
    found: list[float] = []
    with open_stage(300) as (_stage, url, _loop):
        for _ in range(tries):
            page = _page(browser)
            page.goto(url)
            page.wait_for_selector("[data-incident]")
            script = "Math.min(...Object.values(__seen).filter(Boolean)) - performance.timeOrigin"
            page.wait_for_function("Object.values(__seen).some(Boolean)")
            found.append(float(page.evaluate(script)))
            page.context.close()
    return {"rows": 300, "tries": tries, "median_ms": round(percentile(found, 0.5)), "max_ms": round(max(found))}


def _main_threads(session: CDPSession) -> dict[int, float]:
    """Processor seconds of each renderer's main thread so far (its number is the process's): not what it waited for."""
    spent: dict[int, float] = {}
    for one in session.send("SystemInfo.getProcessInfo")["processInfo"]:
        if one["type"] == "renderer":
            ident = int(one["id"])
            fields = Path(f"/proc/{ident}/task/{ident}/stat").read_text().rpartition(")")[2].split()
            spent[ident] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return spent


def measure(browser: Browser, rows: int, seconds: float, rate: int) -> Json:
    """Frames, main thread and event-to-screen under `rate` changes a second among `rows` rows."""
    with open_stage(rows) as (stage, url, loop):
        page = _page(browser)
        page.goto(url)
        page.wait_for_selector("[data-incident]", timeout=30_000)
        page.wait_for_selector(".link.live", timeout=30_000)
        page.wait_for_timeout(3000)
        session = browser.new_browser_cdp_session()

        async def drive() -> None:
            began = loop.time()
            step = 0
            while loop.time() - began < seconds:
                stage.change_some(max(1, rate // 10))
                if step % 5 == 0:
                    stage.raise_one()
                step += 1
                await asyncio.sleep(max(0.0, began + step / 10 - loop.time()))

        # Two runs: asking for every frame makes the browser draw every frame, which is work of the measurement.
        at, worked = monotonic(), _main_threads(session)
        asyncio.run_coroutine_threadsafe(drive(), loop).result(seconds + 30)
        until, worked_then = monotonic(), _main_threads(session)
        page.evaluate("__count(true)")
        asyncio.run_coroutine_threadsafe(drive(), loop).result(seconds + 30)
        page.evaluate("__count(false)")
        frames: list[float] = page.evaluate("__frames")
        page.wait_for_timeout(1500)
        seen: dict[str, float | None] = page.evaluate("__seen")
        page.context.close()
    waits = [moment - told * 1000 for ident, told in stage.written.items() if (moment := seen.get(ident)) is not None]
    gaps = [after - before for before, after in pairwise(frames)]
    return {
        "rows": rows,
        "changes_per_s": rate,
        "seconds": seconds,
        "fps": round(1000 * (len(frames) - 1) / (frames[-1] - frames[0]), 1),
        "longest_frame_ms": round(max(gaps)),
        "main_thread": round(max(worked_then[one] - worked.get(one, 0.0) for one in worked_then) / (until - at), 3),
        "critical": len(stage.written),
        "critical_shown": len(waits),
        "event_to_screen_p50_ms": round(percentile(waits, 0.5)) if waits else None,
        "event_to_screen_p95_ms": round(percentile(waits, 0.95)) if waits else None,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rate", type=int, default=50)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome-stable"))), None)
    if program is None:
        raise SystemExit("no Chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        found = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "browser": browser.version,
            "first_row": measure_first_row(browser),
            "load": measure(browser, args.rows, args.seconds, args.rate),
        }
        browser.close()
    text = json.dumps(found, indent=1)
    print(text)
    if args.json:
        args.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
