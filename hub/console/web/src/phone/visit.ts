/** A visit on the phone: what came with the task, what is typed in until it is sent, and the gate as the hub will judge it. */
import { remember, remembered } from '../core/settings.ts'
import type { Task } from '../core/types.ts'
import type { ResultField } from './results.ts'

export interface Bound {
  metric: string
  zh: string
  en: string
  unit: string
  low: number | null
  high: number | null
  required: boolean
}
export interface Kit {
  proof: boolean
  nurse: boolean
  personal: boolean
  tasks: { code: string; zh: string; en: string }[]
  gate: Bound[] | null
  least_min: number | null
  before: { zh: string; en: string }[]
}
export type VisitTask = Task & { kit?: Kit | null; photos?: boolean; results?: ResultField[] }
export type Consent = 'given' | 'refused' | 'unable'
export interface Gate {
  verdict: 'pass' | 'stop'
  outcome: 'aborted' | 'refused' | null
}

/** What is typed and not sent yet: a telephone call in between, or a page that the phone threw out, must not cost it. */
export interface Draft {
  done: Record<string, boolean>
  why: Record<string, string>
  values: Record<string, string>
  consent: Consent | null
  oxygen: boolean | null
  consciousness: string | null
  note: string
  gate: Gate | null
  photo: string | null
}
const EMPTY: Draft = { done: {}, why: {}, values: {}, consent: null, oxygen: null, consciousness: null, note: '', gate: null, photo: null }
const place = (assignment: string) => `visit.${assignment}`

export function draftOf(assignment: string): Draft {
  try {
    return { ...structuredClone(EMPTY), ...(JSON.parse(remembered(place(assignment)) ?? '{}') as Partial<Draft>) }
  } catch {
    return structuredClone(EMPTY)
  }
}
export function keepDraft(assignment: string, draft: Draft | null): void {
  remember(place(assignment), draft && JSON.stringify(draft))
}

/** What can be measured on a living person, as the hub has it; outside it is a slip of the finger. */
export const POSSIBLE: Record<string, readonly [number, number]> = {
  systolic_mmhg: [30, 300],
  diastolic_mmhg: [20, 200],
  heart_rate_bpm: [10, 300],
  temperature_c: [25, 45],
  spo2_pct: [30, 100],
  respiration_rpm: [1, 90],
  glucose_mmol_l: [0.5, 60],
}
export const METRICS = Object.keys(POSSIBLE)

export function numberOf(text: string | undefined): number | null {
  const clean = (text ?? '').trim().replace(/[\uff0c\u3002,]/, '.')
  const value = clean === '' ? NaN : Number(clean)
  return Number.isFinite(value) ? value : null
}

/** The fields that cannot be as they are typed; empty ones are fine. */
export function impossible(values: Record<string, string>): string[] {
  const wrong = METRICS.filter((metric) => {
    const text = values[metric]?.trim()
    if (!text) return false
    const value = numberOf(text)
    const [low, high] = POSSIBLE[metric]!
    return value === null || value < low || value > high
  })
  const systolic = numberOf(values.systolic_mmhg)
  const diastolic = numberOf(values.diastolic_mmhg)
  if (systolic !== null && diastolic !== null && diastolic >= systolic && !wrong.includes('diastolic_mmhg')) wrong.push('diastolic_mmhg')
  return wrong
}

export function measured(values: Record<string, string>, metrics: readonly string[] = METRICS): Record<string, number> {
  return Object.fromEntries(metrics.map((metric) => [metric, numberOf(values[metric])] as const).filter((pair): pair is [string, number] => pair[1] !== null))
}

export interface Reason {
  code: 'too_low' | 'too_high' | 'not_measured' | 'refused' | 'unable'
  bound: Bound | null
  value: number | null
}

/** The same rules as `dispatch.gate`: without a signal the carers must know at once whether to stop. The hub judges again. */
export function judgeGate(bounds: readonly Bound[], values: Record<string, number>, consent: Consent): Gate & { reasons: Reason[] } {
  const reasons: Reason[] = []
  for (const bound of bounds) {
    const value = values[bound.metric]
    if (value === undefined) {
      if (bound.required) reasons.push({ code: 'not_measured', bound, value: null })
    } else if (bound.low !== null && value < bound.low) reasons.push({ code: 'too_low', bound, value })
    else if (bound.high !== null && value > bound.high) reasons.push({ code: 'too_high', bound, value })
  }
  const nurse = consent === 'unable' || reasons.some((one) => one.code !== 'not_measured')
  if (consent !== 'given') reasons.unshift({ code: consent, bound: null, value: null })
  if (!reasons.length) return { verdict: 'pass', outcome: null, reasons }
  return { verdict: 'stop', outcome: consent === 'refused' && !nurse ? 'refused' : 'aborted', reasons }
}

/** The gate that counts: the latest word of the hub, unless this phone has measured since. */
export function gateOf(task: VisitTask, draft: Draft): Gate | null {
  const told = (task.order?.visit as { gate?: Gate | null } | null | undefined)?.gate ?? null
  return draft.gate ?? told
}

export function partners(task: VisitTask): { name: string; state: string; at: string | null }[] {
  const own = task.assignment.responder.id
  return (task.order?.visit?.assignments ?? [])
    .filter((one) => one.responder.id !== own && one.state !== 'declined' && one.state !== 'stood_down')
    .map((one) => ({ name: one.responder.name, state: one.state, at: one.on_scene_at }))
}

/** In hex; null where the browser has no such thing (plain http): the hub reckons it itself from the picture. */
export async function sha256(base64: string): Promise<string | null> {
  if (!globalThis.crypto?.subtle) return null
  const bytes = Uint8Array.from(atob(base64), (one) => one.charCodeAt(0))
  const digest = await crypto.subtle.digest('SHA-256', bytes)
  return [...new Uint8Array(digest)].map((one) => one.toString(16).padStart(2, '0')).join('')
}
