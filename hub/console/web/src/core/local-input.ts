/** Moments in the fields of a form, in the hub's zone whatever the PC's is. */
import { parts } from './clock.ts'

/** What `<input type="datetime-local">` holds for a moment, in the hub's zone. */
export function toLocalInput(at: number): string {
  const p = parts(at)
  return `${p.year}-${p.month}-${p.day}T${p.hour}:${p.minute}`
}

/** The moment a `datetime-local` value means in the hub's zone, as RFC 3339; null for no value. */
export function fromLocalInput(value: string): string | null {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(value)) return null
  const guess = Date.parse(`${value}:00Z`)
  if (Number.isNaN(guess)) return null
  // The zone's offset at that wall time: two rounds settle it across a change of summer time.
  let at = guess
  for (let round = 0; round < 2; round++) {
    const p = parts(at)
    const shown = Date.UTC(+p.year!, +p.month! - 1, +p.day!, +p.hour!, +p.minute!, +p.second!)
    at += guess - shown
  }
  return new Date(at).toISOString()
}
