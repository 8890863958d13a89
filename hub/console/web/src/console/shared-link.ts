/** The page's end of the live link: the browser's shared stream, or its own where that cannot be had. */
import { Link, SILENCE_MS, type LinkListener, type LinkState } from '../core/link.ts'
import { browserDeps } from '../core/link-browser.ts'
import type { RelayLink, ToPage } from '../core/relay.ts'
import { remembered } from '../core/settings.ts'

/** A worker that says nothing for so long while it claims to be live has died: it beats every five seconds. */
const DEAD_MS = SILENCE_MS * 2

/**
 * `user` keeps seats apart: whoever signs in afterwards shares nothing with the one before. Falls back to an own stream
 * where the browser has no shared workers, refuses this one, or lets it die.
 */
export class SharedLink implements RelayLink {
  shared = false
  private listener: LinkListener
  private own: Link | null = null
  private worker: SharedWorker | null = null
  private cursor: string | null = null
  private heardAt = 0
  private state: LinkState = 'connecting'
  private watch: ReturnType<typeof setInterval> | null = null
  private user: () => string

  constructor(user: () => string, listener: LinkListener) {
    this.user = user
    this.listener = listener
    addEventListener('pagehide', () => this.worker?.port.postMessage({ kind: 'bye' }))
  }

  start(cursor: string | null): void {
    this.cursor = cursor
    if (!this.own && !this.worker) this.open()
    if (this.worker) {
      this.heardAt = performance.now()
      this.worker.port.postMessage({ kind: 'start', cursor })
    } else this.own?.start(cursor)
  }

  stop(): void {
    this.worker?.port.postMessage({ kind: 'stop' })
    this.own?.stop()
  }

  wake(): void {
    this.worker?.port.postMessage({ kind: 'wake' })
    this.own?.wake()
  }

  private open(): void {
    if (typeof SharedWorker === 'undefined' || remembered('stream') === 'own') return this.fallBack(false)
    try {
      this.worker = new SharedWorker(new URL('./live-worker.ts', import.meta.url), { type: 'module', name: `live ${this.user()}` })
    } catch {
      return this.fallBack(false)
    }
    this.shared = true
    this.worker.onerror = () => this.fallBack(true)
    this.worker.port.onmessage = (message: MessageEvent<ToPage>) => this.take(message.data)
    this.heardAt = performance.now()
    this.watch = setInterval(() => {
      const silent = performance.now() - this.heardAt > DEAD_MS
      if (silent && (this.state === 'live' || this.state === 'connecting')) this.fallBack(true)
    }, SILENCE_MS / 2)
  }

  private take(message: ToPage): void {
    this.heardAt = performance.now()
    if (message.kind === 'state') {
      this.state = message.state
      this.listener.state(message.state)
    } else if (message.kind === 'reset') this.listener.reset()
    else {
      for (const event of message.events) if (event.id) this.cursor = event.id
      this.listener.events(message.events)
    }
  }

  /** From here on this page listens for itself; nothing is lost, it goes on where it stood. */
  private fallBack(running: boolean): void {
    if (this.watch) clearInterval(this.watch)
    if (this.worker) {
      this.worker.port.onmessage = null
      this.worker.port.close()
    }
    this.worker = null
    this.shared = false
    this.own ??= new Link(browserDeps, this.listener)
    if (running) this.own.start(this.cursor)
  }
}
