/** How often a phone on its way tells where it is. Pure. */
import { metresBetween } from '../core/geo.ts'

export interface Told {
  lat: number
  lon: number
  /** When it left, ms. */
  at: number
}

const SOONEST_MS = 15_000
const LATEST_MS = 60_000
const MOVED_M = 30

/** Four times a minute while somebody moves, once while they wait at a crossing: what the desk needs, not what a battery fears. */
export function isDue(last: Told | null, fix: { lat: number; lon: number }, now: number): boolean {
  if (!last) return true
  const gone = now - last.at
  return gone >= LATEST_MS || (gone >= SOONEST_MS && metresBetween([last.lat, last.lon], [fix.lat, fix.lon]) >= MOVED_M)
}
