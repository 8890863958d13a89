/** What `/onboarding/…` answers. */

export interface Newcomer {
  id: string
  family: string | null
  name: string | null
  adopted: boolean
  revoked: boolean
  last_seen_at: string | null
  battery_pct: number | null
  watched_until: string | null
  kept_aside: number
}

export interface HeardEvent {
  kind: string
  type: string | null
  observed_at: string | null
  battery_pct: number | null
  ref: string | null
  buffered: boolean
  fix: { lat: number; lon: number; accuracy_m: number | null; source: string } | null
  vitals: Record<string, number | boolean>
  attributes: Record<string, unknown>
}

export interface Heard {
  received_at: string
  lane: string
  topic: string | null
  outcome: string
  reason: string | null
  size: number
  hex: string
  text: string | null
  events: HeardEvent[]
  replies: unknown[]
  error: string | null
  clock_skew_s: number | null
}

export interface Finding {
  code: string
  level: 'wrong' | 'missing' | 'note'
  zh: string
  en: string
  count: number
  places: string[]
}

export interface Report {
  device_id: string
  family: string
  messages: number
  understood: { kinds: Record<string, number>; alarms: Record<string, number>; fields: Record<string, number> }
  findings: Finding[]
  conforms: boolean
}

/** What one event says, in a line: `alarm sos · battery 41 % · 31.9011, 118.8246`. */
export function eventLine(event: HeardEvent): string {
  const parts = [event.type ? `${event.kind} ${event.type}` : event.kind]
  if (event.ref) parts.push(`ref ${event.ref}`)
  for (const [name, value] of Object.entries(event.vitals)) parts.push(`${name} ${value}`)
  if (event.battery_pct !== null) parts.push(`battery ${event.battery_pct} %`)
  if (event.fix) parts.push(`${event.fix.lat.toFixed(5)}, ${event.fix.lon.toFixed(5)} (${event.fix.source})`)
  if (event.observed_at) parts.push(event.observed_at)
  if (event.buffered) parts.push('buffered')
  const code = event.attributes.code
  if (code !== undefined && code !== null) parts.push(`code ${String(code)}`)
  return parts.join(' · ')
}

/** The faults of an event, `name: reason` each. */
export function faultLines(event: HeardEvent): string[] {
  const faults = event.attributes.faults
  return faults && typeof faults === 'object' ? Object.entries(faults).map(([name, why]) => `${name}: ${String(why)}`) : []
}

/** A clock this far off is worth a colour. */
export const SKEW_S = 300
