/** The books as the hub tells them. Amounts are whole fen. */
import { parts } from '../../core/clock.ts'
import { language } from '../../core/i18n.ts'
import type { Named } from '../../core/types.ts'

export const PAYERS = ['subsidy', 'long_term_care', 'charity', 'family'] as const
export type Payer = (typeof PAYERS)[number]
export const STATUSES = ['claimed', 'held', 'refused', 'disputed', 'accepted', 'closed'] as const
export type Status = (typeof STATUSES)[number]

export interface Why {
  code: string
  zh: string
  en: string
  values?: Record<string, string | number | null>
}
export interface Refusal extends Why {
  n: number
}
export interface Share {
  payer: Payer
  fen: number
  copay?: boolean
}
export interface Claim {
  id: string
  number: number
  order_id: string
  order_number: number
  provider: Named
  resident: Named
  kind: string
  month: string
  service_on: string
  started_at: string
  ended_at: string
  minutes: number
  status: Status
  price_fen: number
  paid_fen: number
  reasons: Why[]
  flags: string[]
  shares: Share[]
  dispute: { id: string; side: string; wants: 'paid' | 'refused'; decision: string | null } | null
  version: number
}
export interface Dispute {
  id: string
  claim_id: string
  side: string
  wants: 'paid' | 'refused'
  reason: string
  raised_at: string
  raised_by: Named
  decided_at: string | null
  decided_by: Named | null
  decision: 'paid' | 'refused' | null
  decision_reason: string | null
  version: number
  claim?: Claim
}
export interface Evidence {
  checks: { kind: 'in' | 'out'; at: string; recorded_at: string; distance_m: number | null; flags: string[]; photo_sha256: string | null; responder: Named; review: string | null; review_reason: string | null }[]
  tasks: { code: string; zh: string; en: string; done: boolean; note: string | null }[]
  assignments: { id: string; responder: Named; on_scene_at: string | null; ended_at: string | null; outcome: string | null; photos: { id: string; sha256: string; taken_at: string }[] }[]
  meal: { meal: string; day: string; result: string | null; at: string | null; left_with: string | null; dish: string | null; card: string | null; by: string | null } | null
  timeline: { at: string; kind: string; by: string | null }[]
  statuses: { at: string; from: string | null; to: string | null }[]
  review: { at: string | null; by: string | null; note: string | null }
}
export interface ClaimDetail extends Claim {
  disputes: Dispute[]
  entries: { id: string; number: number; month: string; kind: string; note: string | null; at: string; by: string; postings: { account: string; fen: number }[] }[]
  evidence: Evidence
}
export interface MonthState {
  provider: Named & { kind: string }
  month: string
  claims: number
  statuses: Record<Status, number>
  payers: Record<Payer, { fen: number; claims: number }>
  fen: number
  refusals: Refusal[]
  disputes_open: number
  closed: { at: string; by: string } | null
}
export interface Preview {
  digest: string
  services: number
  counts: { claimed: number; held: number; refused: number }
  payers: Record<Payer, number>
  fen: number
  refusals: Refusal[]
  lines: { order_id: string; order_number: number; resident_id: string; kind: string; started_at: string; status: Status; price_fen: number; reasons: Why[] }[]
}
export interface Provider {
  id: string
  name: string
  kind: string
  active: boolean
}

/** `1234` fen as 12.34, with the separators of the language. */
export function yuan(fen: number): string {
  return (fen / 100).toLocaleString(language.value === 'zh' ? 'zh-CN' : 'en', { minimumFractionDigits: 2, maximumFractionDigits: 2 })
}

export function said(why: Why): string {
  return language.value === 'zh' ? why.zh : why.en
}

export function monthOf(at: number): string {
  const p = parts(at)
  return `${p.year}-${p.month}`
}

export function moved(month: string, by: number): string {
  const [year = 0, number = 1] = month.split('-').map(Number)
  const at = year * 12 + number - 1 + by
  return `${Math.floor(at / 12)}-${String((at % 12) + 1).padStart(2, '0')}`
}
