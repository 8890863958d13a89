/** ISA-18.2: a flood begins at 10 alarms in 10 minutes and is over below 5 in 10 minutes. Pure. */

export const FLOOD_WINDOW_MS = 600_000
export const FLOOD_BEGINS = 10
export const FLOOD_ENDS = 5

/** `times` are the alarms' moments (ms). Returns whether it is a flood now, given whether it was one before. */
export function floodNow(times: Iterable<number>, now: number, before: boolean): boolean {
  let count = 0
  for (const at of times) if (at > now - FLOOD_WINDOW_MS && at <= now + 60_000) count++
  return before ? count >= FLOOD_ENDS : count >= FLOOD_BEGINS
}
