/** The shared worker: one stream for all tabs of this browser. What it decides is in core/relay.ts. */
import { Link } from '../core/link.ts'
import { browserDeps } from '../core/link-browser.ts'
import { Relay, type FromPage, type Port } from '../core/relay.ts'

const relay = new Relay({
  start: (cursor) => link.start(cursor),
  stop: () => link.stop(),
  wake: () => link.wake(),
})
const link = new Link(browserDeps, {
  state: (state) => relay.setState(state),
  events: (events) => relay.events(events),
  reset: () => relay.reset(),
})

interface Scope {
  onconnect: ((event: MessageEvent) => void) | null
}

;(globalThis as unknown as Scope).onconnect = (event) => {
  const channel = event.ports[0]!
  const port: Port = { send: (message) => channel.postMessage(message) }
  relay.join(port)
  channel.onmessage = (message: MessageEvent<FromPage>) => relay.take(port, message.data)
}
