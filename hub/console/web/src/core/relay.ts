/**
 * One stream for every tab of a browser. The relay holds the link; a page joins with the place its snapshot ends at and
 * gets what came after it. Pure but for the link handed in, so that joining, leaving and losing the place can be tested.
 */
import type { LinkState } from './link.ts'
import type { LiveEvent, TimelineEntry } from './types.ts'

export interface RelayLink {
  start(cursor: string | null): void
  stop(): void
  wake(): void
}

export type ToPage = { kind: 'state'; state: LinkState } | { kind: 'events'; events: LiveEvent[] } | { kind: 'reset' }
export type FromPage = { kind: 'start'; cursor: string | null } | { kind: 'stop' } | { kind: 'wake' } | { kind: 'bye' }

export interface Port {
  send(message: ToPage): void
}

/** So many events are kept for pages that join later; one that needs more fetches a snapshot again. */
export const KEPT = 4000

/** `epoch-seq` taken apart; null for anything else. */
export function placeOf(cursor: string | null | undefined): { epoch: string; seq: number } | null {
  const match = /^(.+)-(\d+)$/.exec(cursor ?? '')
  return match ? { epoch: match[1]!, seq: Number(match[2]) } : null
}

/** The furthest place an event tells of: its id may stay behind its own entries. */
export function reachOf(event: LiveEvent): number {
  const data = (event.data ?? {}) as { entry?: TimelineEntry; entries?: TimelineEntry[] }
  let reach = placeOf(event.id)?.seq ?? 0
  for (const entry of data.entries ?? (data.entry ? [data.entry] : [])) reach = Math.max(reach, entry.seq)
  return reach
}

export class Relay {
  private readonly pages = new Map<Port, boolean>()
  private kept: LiveEvent[] = []
  /** Everything after this place is in `kept`. */
  private floor: { epoch: string; seq: number } | null = null
  private running = false
  private state: LinkState = 'connecting'
  private link: RelayLink

  constructor(link: RelayLink) {
    this.link = link
  }

  join(port: Port): void {
    this.pages.set(port, false)
  }

  take(port: Port, message: FromPage): void {
    if (message.kind === 'start') this.start(port, message.cursor)
    else if (message.kind === 'wake') this.link.wake()
    else {
      if (message.kind === 'bye') this.pages.delete(port)
      else if (this.pages.has(port)) this.pages.set(port, false)
      if (![...this.pages.values()].some(Boolean)) this.halt()
    }
  }

  /** From the link. */
  setState(state: LinkState): void {
    this.state = state
    if (state === 'signed_out') this.running = false
    this.tell({ kind: 'state', state })
  }

  /** From the link. */
  events(events: LiveEvent[]): void {
    for (const event of events) if (event.id) this.kept.push(event)
    if (this.kept.length > KEPT) {
      const gone = this.kept.splice(0, this.kept.length - KEPT)
      const last = placeOf(gone[gone.length - 1]!.id)
      if (last) this.floor = { epoch: last.epoch, seq: Math.max(...gone.map(reachOf)) }
    }
    this.tell({ kind: 'events', events })
  }

  /** From the link: the place in the stream is lost, for every page. */
  reset(): void {
    this.forget()
    const waiting = [...this.pages].filter(([, active]) => active)
    for (const [port] of waiting) {
      this.pages.set(port, false)
      port.send({ kind: 'reset' })
    }
  }

  private start(port: Port, cursor: string | null): void {
    const place = placeOf(cursor)
    if (!this.running || (place && this.floor && place.epoch !== this.floor.epoch)) {
      const others = [...this.pages].filter(([one, active]) => active && one !== port)
      this.forget()
      this.floor = place
      this.running = true
      this.pages.set(port, true)
      this.state = 'connecting'
      this.link.start(cursor)
      // Whoever followed another epoch starts again from a snapshot of this one.
      for (const [one] of others) {
        this.pages.set(one, false)
        one.send({ kind: 'reset' })
      }
      return
    }
    if (place && this.floor && place.seq < this.floor.seq) {
      port.send({ kind: 'reset' })
      return
    }
    this.pages.set(port, true)
    const missed = place ? this.kept.filter((event) => reachOf(event) > place.seq) : []
    if (missed.length) port.send({ kind: 'events', events: missed })
    port.send({ kind: 'state', state: this.state })
  }

  private forget(): void {
    this.kept = []
    this.floor = null
    this.running = false
  }

  private halt(): void {
    this.link.stop()
    this.forget()
  }

  private tell(message: ToPage): void {
    for (const [port, active] of this.pages) if (active) port.send(message)
  }
}
