"""The end of a paho client that runs its own thread, within a bound.

paho's own way waits for its thread, and that thread may be at a handshake with a broker that says nothing, or hold
bytes that a broker does not take: half a minute, or for ever.
"""

from __future__ import annotations

import threading

from paho.mqtt.client import Client

__all__ = ["ENDING_S", "end_loop"]

ENDING_S = 1.0


def end_loop(client: Client, name: str, within_s: float = ENDING_S) -> bool:
    """Disconnects and ends the client's thread; waits `within_s` seconds at most. False: it is still ending by itself.

    `name`: of the thread that goes on waiting, which holds nobody up, neither here nor at the end of the process.
    """
    client.disconnect()
    ending = threading.Thread(target=client.loop_stop, name=f"{name} ending", daemon=True)
    ending.start()
    ending.join(within_s)
    return not ending.is_alive()
