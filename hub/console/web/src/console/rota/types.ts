/** What the hub says of the rota. */
import type { Named } from '../../core/types.ts'

export interface Duty {
  responder: Named
  role: string
  area_ids: string[]
  starts_at: string
  ends_at: string
  shift_id: string | null
  override_id: string | null
  instead_of: Named | null
}
export interface Gap {
  kind: 'below' | 'absent' | 'unfilled'
  role: string
  area_id: string | null
  starts_at: string
  ends_at: string
  wanted: number
  have: number
  source: string | null
  about: Named | null
}
export interface Override {
  id: string
  kind: 'absent' | 'instead' | 'extra'
  responder: Named | null
  substitute: Named | null
  starts_at: string
  ends_at: string
  reason: string
  role: string | null
  shift_id: string | null
  made_by: string | null
}
export interface SwapShift {
  id: string
  responder_id: string
  role: string
  area_id: string | null
  starts_at: string
  ends_at: string
}
export interface Swap {
  id: string
  state: 'asked' | 'agreed' | 'approved' | 'declined' | 'refused' | 'withdrawn'
  asked_by: Named
  asked_of: Named
  shift: SwapShift
  back: SwapShift | null
  note: string | null
  reason: string | null
  asked_at: string
  decided_by: string | null
  version: number
}
export interface Board {
  from: string
  days: { day: string; works: boolean; name: string | null }[]
  duties: Duty[]
  gaps: Gap[]
  overrides: Override[]
  swaps: Swap[]
  areas: Record<string, string>
}
export interface Rotation {
  id: string
  name: string
  role: string
  area_id: string | null
  rule: string
  starts_on: string
  ends_on: string | null
  begins: string
  minutes: number
  members: string[]
  seats: number
  turn_unit: 'shift' | 'day' | 'week'
  turn_length: number
  phase: number
  days: 'every' | 'workdays' | 'days_off'
  active: boolean
  made_until: string | null
  version: number
}
export interface Cover {
  id: string
  role: string
  area_id: string | null
  begins: string
  minutes: number
  days: 'every' | 'workdays' | 'days_off'
  people: number
  active: boolean
  version: number
}
export interface Holiday {
  id: string
  kind: 'off' | 'work'
  name: string
  source: string
  version: number
}
export interface OnCallPerson {
  responder: Named
  phone: string | null
  kind: string
  on_shift: boolean
  area_id: string | null
  until: string | null
}
