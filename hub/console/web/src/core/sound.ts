/** Which alarm may sound. Pure. */
import { isUnclaimed, rank } from './order.ts'
import { PULSES } from './player.ts'
import type { Incident, Priority } from './types.ts'

/**
 * The level to sound: the most urgent unclaimed incident that is not muted. `muted` holds until when (ms) each incident is
 * muted; an alarm that comes after the mute is not in it and sounds. In a flood only level one sounds.
 */
export function levelToSound(incidents: Iterable<Incident>, muted: ReadonlyMap<string, number>, now: number, flood: boolean): Priority | null {
  let best: Priority | null = null
  for (const incident of incidents) {
    if (!isUnclaimed(incident, now) || (muted.get(incident.id) ?? 0) > now) continue
    if (PULSES[incident.priority].count === 0 || (flood && incident.priority !== 'critical')) continue
    if (best === null || rank(incident.priority) < rank(best)) best = incident.priority
  }
  return best
}

export const RING_EVERY_MS = 4000
/** The longest pattern of an alarm. */
const ALARM_MS = 1500

/** Whether the telephone rings now: never into an alarm's tones, and not at all while a critical alarm sounds. */
export function telephoneRings(level: Priority | null, sinceRingMs: number, sinceAlarmMs: number): boolean {
  return level !== 'critical' && sinceRingMs >= RING_EVERY_MS && sinceAlarmMs >= ALARM_MS
}
