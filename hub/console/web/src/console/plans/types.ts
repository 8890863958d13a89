/** Response plans as the API gives them. */
export interface PlanParty {
  role: string
  part: 'go' | 'know'
  most: number
}
export interface PlanTier {
  code: string
  zh: string
  en: string
  parties: PlanParty[]
  wait_s: number
  mode: 'parallel' | 'in_turn'
  at_once: number
  channels: string[]
}
export interface PlanConditions {
  types?: string[]
  classes?: string[]
  priorities?: string[]
  area_id?: string | null
  hours?: [number, number] | null
  days?: 'any' | 'workday' | 'weekend'
  flags?: string[]
}
export interface ResponsePlan {
  id: string
  zh: string
  en: string
  note: string | null
  active: boolean
  conditions: PlanConditions
  voice: { seconds?: number; by_type?: Record<string, number>; device?: '' | 'speak' | 'call'; say?: string }
  tiers: PlanTier[]
  access: { ways?: string[]; consent?: boolean; zh?: string; en?: string }
  clocks: Record<string, number | null>
  priority: string | null
  at_once: boolean
  card: boolean
  built_in: boolean
  edited: boolean
  changed_at: string | null
  version: number
}
export interface Reached {
  ref: string
  name: string
  role: string
  part: 'go' | 'know'
  phone: string | null
  why: string
  state: string
  reason: string | null
  channels: { channel: string; state: string; outcome: string | null; reason: string | null; at: string }[]
}
export interface TierProgress {
  code: string
  zh: string
  en: string
  mode: string
  wait_s: number
  channels: string[]
  parties: { role: string; zh: string; en: string; part: string; most: number }[]
  state: 'done' | 'running' | 'next' | 'later' | 'skipped' | 'empty' | 'stood_down'
  at: string | null
  due_at: string | null
  reason: string
  by: string | null
  people: Reached[]
}
export interface PlanProgress {
  incident_id: string
  plan: { id: string; zh: string; en: string; version: number }
  chosen: { code: string; text: string; values: Record<string, string | number> } | null
  round: number
  state: 'ready' | 'voice' | 'spoken' | 'calling' | 'exhausted' | 'stopped'
  since: string | null
  due_at: string | null
  reason: string
  voice: { seconds: number; state: 'waiting' | 'running' | 'reached' | 'failed'; due_at: string | null; number: string | null }
  tiers: TierProgress[]
  access: { ways: { way: string; zh: string; en: string; who: { name: string; phone: string | null }[] }[]; consent: boolean; consent_on_file: string | boolean | null; zh: string; en: string }
  card: boolean
}

export const TYPES = ['sos', 'fall', 'voice_help', 'smoke', 'gas', 'assistance', 'inactivity', 'water_leak', 'heart_rate_high', 'heart_rate_low', 'heart_rate_abnormal', 'spo2_low', 'blood_pressure_high', 'blood_pressure_low', 'fever', 'bed_exit', 'medication_missed', 'wandering', 'door', 'geofence_enter']
export const CLASSES = ['emergency', 'health', 'whereabouts']
export const LEVELS = ['critical', 'high', 'medium', 'low']
export const ROLES = ['contact', 'keyholder', 'guard', 'micro_grid_leader', 'grid_officer', 'station_nurse', 'community_doctor', 'qualified', 'supervisor', 'ambulance', 'police', 'fire']
/** Told, never asked to go: nobody sends a supervisor or 120 by a tap. */
export const ONLY_TOLD = new Set(['supervisor', 'ambulance', 'police', 'fire'])
export const CHANNELS = ['voice', 'sms', 'push', 'chat']

const two = (n: number) => String(n).padStart(2, '0')
export const clockOf = (minute: number) => `${two(Math.floor(minute / 60))}:${two(minute % 60)}`
export function minuteOf(clock: string): number | null {
  const [, hours, minutes] = /^(\d{1,2}):(\d{2})$/.exec(clock) ?? []
  return hours === undefined || minutes === undefined ? null : Number(hours) * 60 + Number(minutes)
}
