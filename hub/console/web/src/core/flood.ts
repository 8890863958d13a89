/** ISA-18.2: a flood begins at 10 alarms in 10 minutes and is over below 5 in 10 minutes. What came first in it. Pure. */
import type { AreaBrief, Incident } from './types.ts'

export const FLOOD_WINDOW_MS = 600_000
export const FLOOD_BEGINS = 10
export const FLOOD_ENDS = 5
/** A moment may be so far ahead of the clock here. */
const AHEAD_MS = 60_000

/**
 * The moment (ms) of the alarm with which the flood that goes on now began, the first of its ten; null: there is none.
 * Told from the alarms' moments (ms) alone, so that a page that is loaded in the middle of it says the same.
 */
export function floodSince(times: Iterable<number>, now: number): number | null {
  const known = [...times].filter((at) => at <= now + AHEAD_MS).sort((a, b) => a - b)
  let since: number | null = null
  let oldest = 0
  /** When fewer than five of the alarms before `count` are left in the ten minutes. */
  const overAt = (count: number) => known[count - FLOOD_ENDS]! + FLOOD_WINDOW_MS
  for (let index = 0; index < known.length; index++) {
    const at = known[index]!
    if (since !== null && overAt(index) <= at) since = null
    while (known[oldest]! <= at - FLOOD_WINDOW_MS) oldest++
    if (since === null && index - oldest + 1 >= FLOOD_BEGINS) since = known[oldest]!
  }
  return since !== null && overAt(known.length) > now ? since : null
}

/** With fewer it is not the area that is in a flood. */
const OF_AN_AREA = 3
const AREAS = 3

export interface FirstOut {
  incident: Incident
  /** Where the others are; null: they lie all over the place, and this is simply the first of all. */
  area: AreaBrief | null
  /** How many of the flood are of that area. */
  of: number
}

const communityOf = (incident: Incident): AreaBrief | null => incident.area?.path?.find((one) => one.kind === 'community') ?? incident.area

/**
 * The alarm that came first in each area that is in a flood, the fullest area first: it is the likeliest to name the
 * cause of the others. One that was handled meanwhile is still the first. `incidents`: live and ended ones.
 */
export function firstOut(incidents: Iterable<Incident>, since: number): FirstOut[] {
  const groups = new Map<string | null, { area: AreaBrief | null; of: Incident[] }>()
  for (const incident of incidents) {
    if (incident.class === 'technical' || incident.class === 'test' || Date.parse(incident.first_alarm_at) < since) continue
    const area = communityOf(incident)
    const group = groups.get(area?.id ?? null) ?? { area, of: [] }
    group.of.push(incident)
    groups.set(area?.id ?? null, group)
  }
  const first = (of: Incident[]) => of.reduce((a, b) => (a.first_alarm_at < b.first_alarm_at || (a.first_alarm_at === b.first_alarm_at && a.id < b.id) ? a : b))
  const all = [...groups.values()]
  const flooded = all.filter((one) => one.area !== null && one.of.length >= OF_AN_AREA).sort((a, b) => b.of.length - a.of.length || (a.area!.id < b.area!.id ? -1 : 1))
  if (flooded.length) return flooded.slice(0, AREAS).map((one) => ({ incident: first(one.of), area: one.area, of: one.of.length }))
  const every = all.flatMap((one) => one.of)
  return every.length ? [{ incident: first(every), area: null, of: every.length }] : []
}
