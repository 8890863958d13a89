/** Flagged checks with their evidence, as `/visit-checks` gives them. */
import type { Named } from '../../core/types.ts'
import type { VisitCheck } from '../orders/types.ts'

export interface FlaggedCheck {
  check: VisitCheck & { assignment_id: string; version: number }
  resident: Named & { lat: number | null; lon: number | null; address: string | null }
  responder: Named & { kind: string }
  order: { id: string; number: number; kind: string; state: string; wanted_from: string; wanted_to: string; carers: number; duration_min: number }
  visit: { id: string; state: string; late: string | null; started_at: string | null; ended_at: string | null; outcome: string | null; note: string | null }
  fix: { lat: number; lon: number; accuracy_m: number | null; source: string | null; observed_at: string | null } | null
  photos: { id: string; sha256: string }[]
}
export const STATES = ['open', 'accepted', 'rejected'] as const
export type State = (typeof STATES)[number]
