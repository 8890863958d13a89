/** Shapes of `/load`, its reports and `/silences`. */
export interface SeatNow {
  user: { id: string; name: string }
  last_10_min: number
  last_hour: number
  state: 'comfortable' | 'busy' | 'over' | 'flood'
  flood_since: string | null
}
export interface MixPart {
  n: number
  share: number | null
  goal: number
  over: boolean
}
export interface Spilled {
  incident: string
  number: number
  type: string
  priority: 'critical' | 'high' | 'medium' | 'low'
  state: string
  at: string
  rule: 'spilled' | 'all_flooded' | 'nobody'
  seat: string | null
  home: string | null
}
export interface LoadNow {
  at: string
  seats: SeatNow[]
  seats_in_flood: number
  alarms_last_hour: number
  alarms_an_hour_a_seat: number | null
  live: number
  stale: number
  stale_technical: number
  shelved: number
  chattering: number
  silences: number
  oldest_stale: { id: string; number: number; type: string; priority: Spilled['priority']; opened_at: string }[]
  mix: Record<'critical' | 'high' | 'rest', MixPart>
  spilled: Spilled[]
}
export interface HourRow {
  group: string
  seats: number
  duty_h: number
  rings: number
  per_seat_hour: number | null
  flood_min: number
  flood_share: number | null
  spilled_out: number
}
export interface BadActor {
  rank: number
  device: string
  family: string | null
  area: string | null
  types: string[]
  alarms: number
  share: number
  together: number
  bad: boolean
}
export interface PathTest {
  id: string
  state: 'wanted' | 'running' | 'passed' | 'failed'
  asked_at: string
  finished_at: string | null
  told_s: number | null
  shown_s: number | null
  reason: string | null
}
export interface Silence {
  id: string
  kind: 'silence' | 'maintenance' | 'test'
  device: { id: string; name: string | null } | null
  area: { id: string; name: string } | null
  type: string | null
  starts_at: string
  ends_at: string
  reason: string
  set_by: string
  state: 'coming' | 'in_force' | 'over'
  silenced: number
}
