/** Server time. The PC's clock is only used to measure how long ago the server last told its own. */
import { shallowRef } from 'vue'

let offsetMs = 0
let known = false
let zone = 'Asia/Shanghai'

/** For a page that starts without a network: the difference last known keeps its times right on a phone with a wrong clock. */
export function clockOffset(): number | null {
  return known ? offsetMs : null
}

export function restoreClock(offset: number): void {
  if (known || !Number.isFinite(offset)) return
  offsetMs = offset
  clockKnown.value = true
}

/** Milliseconds of the server's clock, moved once a second; everything that counts on the page reads it. */
export const tick = shallowRef(Date.now())

export function serverNow(): number {
  return Date.now() + offsetMs
}

/** Whether the server has told its time yet: until then the page shows none. */
export const clockKnown = shallowRef(false)

/**
 * Takes a server time. `sentAt` and `gotAt` (PC clock) bound the moment it was written; without them (a pushed event) small
 * differences are transport delay and only a jump of over 2 s moves the clock.
 */
export function syncClock(serverTime: string | null | undefined, sentAt?: number, gotAt?: number): void {
  const server = serverTime ? Date.parse(serverTime) : NaN
  if (Number.isNaN(server)) return
  if (sentAt !== undefined && gotAt !== undefined) offsetMs = server - (sentAt + gotAt) / 2
  else if (!known || Math.abs(server - serverNow()) > 2000) offsetMs = server - Date.now()
  known = true
  clockKnown.value = true
  tick.value = serverNow()
}

export function setZone(name: string | null | undefined): void {
  if (!name || name === zone) return
  try {
    new Intl.DateTimeFormat('en-GB', { timeZone: name })
  } catch {
    return // a name this browser does not know: the default stays
  }
  zone = name
  formats.clear()
}

/** The zone of every time a page shows. */
export function zoneName(): string {
  return zone
}

export function startTicking(): void {
  const beat = () => {
    tick.value = serverNow()
    setTimeout(beat, 1000 - (serverNow() % 1000) + 5)
  }
  beat()
}

const formats = new Map<string, Intl.DateTimeFormat>()

/** The pieces of a moment in the hub's zone: year, month, day, hour, minute, second. */
export function parts(at: number): Record<string, string> {
  let format = formats.get(zone)
  if (!format) {
    format = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      hourCycle: 'h23',
    })
    formats.set(zone, format)
  }
  const out: Record<string, string> = {}
  for (const part of format.formatToParts(at)) out[part.type] = part.value
  return out
}

function millis(at: string | number | null | undefined): number {
  return typeof at === 'number' ? at : at ? Date.parse(at) : NaN
}

/** `2026-11-22` in the hub's zone. */
export function dayOf(at: string | number): string {
  const p = parts(millis(at))
  return `${p.year}-${p.month}-${p.day}`
}

/** `14:02:11`; another day gets `11-21 14:02`. */
export function clockTime(at: string | number | null | undefined, now: number = serverNow()): string {
  const ms = millis(at)
  if (Number.isNaN(ms)) return ''
  const p = parts(ms)
  return dayOf(ms) === dayOf(now) ? `${p.hour}:${p.minute}:${p.second}` : `${p.month}-${p.day} ${p.hour}:${p.minute}`
}

/** `14:02`; another day gets `11-21 14:02`. */
export function shortTime(at: string | number | null | undefined, now: number = serverNow()): string {
  const ms = millis(at)
  if (Number.isNaN(ms)) return ''
  const p = parts(ms)
  return dayOf(ms) === dayOf(now) ? `${p.hour}:${p.minute}` : `${p.month}-${p.day} ${p.hour}:${p.minute}`
}

/** `11-24 11:30–12:00`: the day is said once where both ends are of one day. */
export function timeSpan(from: string | number, to: string | number | null | undefined): string {
  const begin = shortTime(from)
  if (to === null || to === undefined) return begin
  return `${begin}–${dayOf(millis(from)) === dayOf(millis(to)) ? shortTime(to).slice(-5) : shortTime(to)}`
}

/** A span for a narrow column: `0:07`, `12:40`, `3:05:12`, from a day on `2d 4h`. */
export function span(ms: number): string {
  const total = Math.max(0, Math.floor(ms / 1000))
  const days = Math.floor(total / 86400)
  const hours = Math.floor((total % 86400) / 3600)
  const minutes = Math.floor((total % 3600) / 60)
  const two = (n: number) => String(n).padStart(2, '0')
  if (days > 0) return `${days}d ${hours}h`
  if (hours > 0) return `${hours}:${two(minutes)}:${two(total % 60)}`
  return `${minutes}:${two(total % 60)}`
}

export function since(at: string | null | undefined, now: number): number {
  const ms = millis(at)
  return Number.isNaN(ms) ? 0 : now - ms
}
