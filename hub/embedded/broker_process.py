"""The embedded broker's own process: `python broker_process.py CONFIG RECORD`.

Run as a file, not as a module of the hub, so that it loads nothing but the broker. RECORD says which process and which
ports, and this process holds a lock on it for as long as it lives: whoever finds the lock taken knows that the record
is true, whatever became of the hub that wrote the configuration.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import sys
import threading
import time

from iotcore.iotcore import IotCoreBroker

__all__ = ["main"]

LOCK_TAKEN = 3
"""Exit status: another broker of this data directory lives."""
BROKEN = 4
"""Exit status: the broker has failed in a way after which it runs but serves nobody."""

BREAKS = (b"PoisonError", b'"Disconnected(..)"', b"src/router/")
"""Words of a panic in the broker that leave a listener deaf, or the router dead, for good.

rumqttd 0.20: a client that goes away between its CONNECT and the CONNACK leaves an entry behind; the next CONNECT with
its client id panics while holding the lock that every later CONNECT needs (`remote` in src/server/broker.rs).
"""


def _hold(record: str) -> int | None:
    handle = os.open(record, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    # Somebody may be looking whether the lock is taken, which takes it for a moment.
    for _ in range(50):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.02)
        else:
            return handle
    return None


def _end_when_broken() -> None:
    """Reads along what the broker says on standard error; ends the process at a panic it cannot live with.

    Started again by the hub, the broker has lost its sessions, but serves; devices repeat until they are told.
    """
    source, sink = os.pipe()
    log = os.dup(2)
    os.dup2(sink, 2)
    os.close(sink)

    def read() -> None:
        with os.fdopen(source, "rb") as lines:
            for line in lines:
                os.write(log, line)
                if any(words in line for words in BREAKS):
                    os._exit(BROKEN)

    threading.Thread(target=read, daemon=True).start()


def main() -> int:
    """Runs the broker until it is killed; it keeps sessions in memory alone, so there is nothing to end in order."""
    config, record = sys.argv[1:3]
    logging.basicConfig(level="WARNING", format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # The broker reports each routed packet at level ERROR.
    logging.getLogger("rumqttd").setLevel(logging.CRITICAL)
    handle = _hold(record)
    if handle is None:
        return LOCK_TAKEN
    _end_when_broken()
    broker = IotCoreBroker(config_path=config)
    ports = [int(listener.rpartition(":")[2]) for listener in broker.listeners()]
    os.ftruncate(handle, 0)
    os.pwrite(handle, json.dumps({"pid": os.getpid(), "ports": ports}).encode(), 0)
    broker.run_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
