/**
 * The live link: server-sent events, watched by their own heart beat, with long polling where a proxy holds the stream back.
 * Everything it touches (clock, timers, source, requests) is handed in, so that each way of failing can be tested.
 */
import type { LiveEvent } from './types.ts'

export type LinkState = 'connecting' | 'live' | 'stale' | 'down' | 'signed_out'

export const EVENT_NAMES = [
  'incident.raised',
  'incident.updated',
  'assignment.updated',
  'order.updated',
  'visit.updated',
  'call.updated',
  'device.updated',
  'presence.updated',
  'incident.provisional',
  'hb',
  'reset',
] as const

/** The hub beats every 5 s; two missed beats and some slack. */
export const SILENCE_MS = 12_000
/** No first event in this time: something between buffers the stream. */
export const FIRST_EVENT_MS = 10_000
/** In long-poll mode the stream is tried again after this time. */
export const RETRY_STREAM_MS = 300_000

export interface Source {
  close(): void
}

export interface SourceListener {
  event(name: string, data: string, id: string): void
  error(): void
}

export interface LinkDeps {
  now(): number
  random(): number
  after(ms: number, run: () => void): () => void
  open(cursor: string | null, listener: SourceListener): Source
  probe(): Promise<'ok' | 'signed_out' | 'unreachable'>
  poll(cursor: string | null, signal: AbortSignal): Promise<{ events?: LiveEvent[]; cursor?: string | null; reset?: boolean }>
}

export interface LinkListener {
  state(state: LinkState): void
  events(events: LiveEvent[]): void
  /** The place in the stream is lost: fetch a snapshot, then `start` with its cursor. */
  reset(): void
}

export class Link {
  state: LinkState = 'connecting'
  /** When anything was last heard (deps.now). */
  heardAt = 0
  cursor: string | null = null
  polling = false

  private readonly deps: LinkDeps
  private readonly listener: LinkListener
  private source: Source | null = null
  private timers = new Map<string, () => void>()
  private tries = 0
  private run = 0
  private pollAbort: AbortController | null = null
  private pollSince = 0

  constructor(deps: LinkDeps, listener: LinkListener) {
    this.deps = deps
    this.listener = listener
  }

  start(cursor: string | null): void {
    this.stop()
    this.cursor = cursor
    this.tries = 0
    this.connect()
  }

  stop(): void {
    this.run++
    this.source?.close()
    this.source = null
    this.pollAbort?.abort()
    this.pollAbort = null
    for (const cancel of this.timers.values()) cancel()
    this.timers.clear()
  }

  /** Called when the network or the page comes back: no waiting for the back-off. */
  wake(): void {
    if (this.timers.has('retry')) {
      this.clear('retry')
      this.tries = 0
      this.connect()
    } else if (this.source && this.heardAt && this.deps.now() - this.heardAt > SILENCE_MS) this.lost('stale')
  }

  /** Half to all of 0.5 s doubling to 8 s. */
  backoffMs(): number {
    return Math.min(8000, 500 * 2 ** Math.min(this.tries, 10)) * (0.5 + this.deps.random() / 2)
  }

  private set(state: LinkState): void {
    if (state === this.state) return
    this.state = state
    this.listener.state(state)
  }

  private timer(name: string, ms: number, run: () => void): void {
    this.clear(name)
    this.timers.set(
      name,
      this.deps.after(ms, () => {
        this.timers.delete(name)
        run()
      }),
    )
  }

  private clear(name: string): void {
    this.timers.get(name)?.()
    this.timers.delete(name)
  }

  private connect(): void {
    if (this.polling && this.deps.now() - this.pollSince < RETRY_STREAM_MS) {
      void this.pollLoop(++this.run)
      return
    }
    this.polling = false
    const run = ++this.run
    let first = true
    this.timer('first', FIRST_EVENT_MS, () => {
      if (run !== this.run) return
      this.source?.close()
      this.source = null
      this.polling = true
      this.pollSince = this.deps.now()
      void this.pollLoop(++this.run)
    })
    this.source = this.deps.open(this.cursor, {
      event: (name, data, id) => {
        if (run !== this.run) return
        if (first) {
          first = false
          this.clear('first')
        }
        this.hear()
        this.watch(run)
        if (name === 'reset') {
          this.stop()
          this.listener.reset()
          return
        }
        let parsed: unknown
        try {
          parsed = JSON.parse(data)
        } catch {
          return // a broken event must not end the stream; its successor carries the latest state
        }
        if (id) this.cursor = id
        this.listener.events([{ event: name, id, data: parsed }])
      },
      error: () => {
        if (run === this.run) this.lost(null)
      },
    })
  }

  private hear(): void {
    this.heardAt = this.deps.now()
    this.tries = 0
    this.set('live')
  }

  private watch(run: number): void {
    this.timer('silence', SILENCE_MS, () => {
      if (run === this.run) this.lost('stale')
    })
  }

  /** The stream ended or fell silent. The event source hides the status code, so the session is asked. */
  private lost(state: LinkState | null): void {
    const run = ++this.run
    this.source?.close()
    this.source = null
    this.clear('first')
    this.clear('silence')
    if (state) this.set(state)
    void this.deps.probe().then((found) => {
      if (run !== this.run) return
      if (found === 'signed_out') {
        this.set('signed_out')
        return
      }
      if (found === 'unreachable') this.set('down')
      else if (this.state === 'live') this.set('stale')
      const wait = this.backoffMs()
      this.tries++
      this.timer('retry', wait, () => this.connect())
    })
  }

  private async pollLoop(run: number): Promise<void> {
    while (run === this.run) {
      if (this.deps.now() - this.pollSince >= RETRY_STREAM_MS) {
        this.connect()
        return
      }
      const abort = new AbortController()
      this.pollAbort = abort
      try {
        const answer = await this.deps.poll(this.cursor, abort.signal)
        if (run !== this.run) return
        this.hear()
        if (answer.cursor) this.cursor = answer.cursor
        if (answer.reset) {
          this.stop()
          this.listener.reset()
          return
        }
        if (answer.events?.length) this.listener.events(answer.events)
      } catch {
        if (run === this.run) this.lost(null)
        return
      }
    }
  }
}
