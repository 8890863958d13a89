import type { Named } from '../../core/types.ts'

export interface Pause {
  id: string
  from_on: string
  to_on: string | null
  reason: string
}
export interface CarePlan {
  id: string
  number: number
  version: number
  resident: { id: string; name: string; status: string }
  kind: string
  rule: string
  exdates: string[]
  rdates: string[]
  starts_on: string
  ends_on: string | null
  begins: string
  ends: string
  duration_min: number
  duration_own: number | null
  holidays: 'keep' | 'skip' | 'move'
  preferred_responder: Named | null
  provider_id: string | null
  station_id: string | null
  payer_hint: string | null
  open_to: 'claim' | null
  note: string | null
  attributes: Record<string, unknown>
  active: boolean
  pauses: Pause[]
  open_orders: number
  next_at: string | null
  made_until: string | null
}
export interface Followed {
  made: number
  changed: number
  taken_up: number
  cancelled: number
  kept: string[]
}
export interface Occurrence {
  on: string
  wanted_from: string | null
  wanted_to: string | null
  moved: boolean
  left_out: 'holiday' | 'paused' | 'absent' | 'ended' | null
  order: { id: string; state: string; reason: string | null } | null
}
export interface Occurrences {
  items: Occurrence[]
  rule: string
  made_until: string | null
  resident_status: string | null
}
