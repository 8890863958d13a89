/** Questions to the community doctor and rounds of short visits, as the hub tells them. */
import type { Order } from '../../core/types.ts'

export type Advice = 'advice' | 'visit' | '120'
export const ADVICE: readonly Advice[] = ['advice', 'visit', '120']

export interface Consult {
  id: string
  version: number
  state: 'requested' | 'answered' | 'withdrawn'
  urgent: boolean
  reason: string
  vitals: { metric: string; value: number | string; observed_at: string }[]
  resident: { id: string; name: string; age: number | null; sex: 'f' | 'm' | null; phone: string | null; address: string | null; conditions: string[]; medications: string[]; allergies: string[] }
  incident_id: string | null
  order_id: string | null
  doctor: { id: string; name: string; phone: string | null } | null
  requested_at: string
  requested_by: string
  advice: Advice | null
  answer: string | null
  answered_at: string | null
  answered_by: string | null
  visit_order_id: string | null
}

export interface Taken {
  at: string
  by: { id: string; name: string }
  nurse: boolean
  news2: { zh: string; en: string; response: string } | null
  values: { metric: string; value: number; beyond: 'high' | 'low' | null; limit: number | null }[]
}
export interface Stop extends Order {
  taken: Taken | null
}
export interface RoundDay {
  items: Stop[]
  day: string
  server_time: string
}

/** What can be measured on a round; the codes of the order's field `measure`. */
export const MEASURES = ['blood_pressure', 'heart_rate_bpm', 'spo2_pct', 'temperature_c', 'respiration_rpm', 'glucose_mmol_l'] as const
