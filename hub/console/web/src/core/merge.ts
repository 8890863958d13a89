/** Two incidents of one event: which of the others this one may belong to. Pure. */
import { metresBetween } from './geo.ts'
import { isLive, pointOf } from './order.ts'
import type { Incident } from './types.ts'

/** One event is seen from one place: a stairwell, a street corner, a power cut of a building. */
const NEAR_M = 500
const LISTED = 30

/** Live matters of people, the likeliest first: the same person, then the same area or close by, then by how close in time. */
export function sameEvent(incident: Incident, all: Iterable<Incident>): { incident: Incident; likely: boolean }[] {
  const at = pointOf(incident)
  const opened = Date.parse(incident.opened_at)
  const rank = (other: Incident) => {
    if (incident.resident && other.resident?.id === incident.resident.id) return 0
    const there = pointOf(other)
    if (at && there ? metresBetween(at, there) <= NEAR_M : incident.area !== null && other.area?.id === incident.area.id) return 1
    return 2
  }
  return [...all]
    .filter((other) => other.id !== incident.id && isLive(other) && other.class !== 'technical')
    .map((other) => ({ other, rank: rank(other), apart: Math.abs(Date.parse(other.opened_at) - opened) }))
    .sort((a, b) => a.rank - b.rank || a.apart - b.apart || (a.other.id < b.other.id ? -1 : 1))
    .slice(0, LISTED)
    .map(({ other, rank: found }) => ({ incident: other, likely: found < 2 }))
}
