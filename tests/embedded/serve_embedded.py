"""A process that runs the embedded parts and says so; the tests kill it. `python serve_embedded.py`"""

from __future__ import annotations

import json
import sys
import threading

from hub.embedded import EmbeddedServices
from hub.settings import load_settings


def main() -> None:
    services = EmbeddedServices(load_settings())
    services.start()
    print(json.dumps({"database": services.database_url, "mqtt": services.mqtt_url}), flush=True)
    if sys.stdin.read() == "":
        services.stop()
    threading.Event().wait(0)


if __name__ == "__main__":
    main()
