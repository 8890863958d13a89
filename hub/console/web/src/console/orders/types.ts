/** Orders and the day as the coordinator sees them: what `/orders`, `/plans` and `/routes` say beside the plain order. */
import type { Assignment, Named, Order, Visit } from '../../core/types.ts'

export type Late = 'yellow' | 'red' | 'missed'

/** A check at the door, in or out. `at` is the phone's moment, `recorded_at` the hub's: later where there was no signal. */
export interface VisitCheck {
  id: string
  kind: 'in' | 'out'
  at: string
  recorded_at: string | null
  distance_m: number | null
  accuracy_m?: number | null
  /** What failed, in codes. */
  flags: string[]
  /** What was found, in words; `fails` false: it only explains. */
  findings: { code: string; fails: boolean; zh: string; en: string }[]
  photo_sha256: string | null
  responder_id: string
  verdict: 'verified' | 'flagged'
  /** What somebody decided of a flagged one. */
  review: { verdict: 'accepted' | 'rejected'; reason: string; at: string; by: string | null } | null
}
export interface VisitTask {
  code: string
  zh: string
  en: string
  done: boolean | null
  note: string | null
}
export interface DayVisit extends Visit {
  version?: number
  planned_end?: string | null
  promised_from?: string | null
  promised_to?: string | null
  route_id?: string | null
  sequence?: number | null
  pinned?: boolean
  note?: string | null
  checks?: VisitCheck[]
  tasks?: VisitTask[]
  late?: Late | null
  /** Its carer is elsewhere and not free before. */
  expected_at?: string | null
}
/** Somebody asks afterwards how a service was; `done_at` null: it is still to be asked. */
export interface ReturnVisit {
  why: string
  due_at: string
  tries: number
  done_at: string | null
  way: string | null
  outcome: string | null
  note: string | null
  done_by?: string | null
  version: number
}
export interface Satisfaction {
  score: number
  words: string | null
  given_by: string
  complaint: boolean
  incident_id: string | null
  at: string
  version: number
}
export interface DayOrder extends Omit<Order, 'visit'> {
  visit: DayVisit | null
  reason?: string | null
  provider_id?: string | null
  station_id?: string | null
  area_id?: string | null
  care_plan_id?: string | null
  occurrence_on?: string | null
  open_to?: string | null
  programme_id?: string | null
  late?: Late | null
  return_visit?: ReturnVisit | null
  satisfaction?: Satisfaction | null
  attributes?: Record<string, unknown>
}

/** A code with its words in both languages. */
export interface Worded {
  code: string
  zh: string
  en: string
}
export interface RouteStop {
  visit_id: string
  order_id: string
  kind: string
  state: string
  resident: Named
  lat: number | null
  lon: number | null
  sequence: number
  /** Of a visit of two: which one this carer is there for; 0: it takes one. */
  part: number
  arrive_at: string
  start_at: string
  leave_at: string
  wanted_from: string
  wanted_to: string
  frozen: 'started' | 'promised' | 'pinned' | 'fixed' | null
  why: Worded[]
}
export interface RouteBreak {
  start: string
  end: string
}
export interface DayRoute {
  id: string
  plan_id: string | null
  date: string
  responder_id: string
  responder: Named
  crew_id: string | null
  leave_at: string | null
  back_at: string | null
  breaks: RouteBreak[]
  travel_min: number
  service_min: number
  stops: RouteStop[]
}

export type PlanState = 'running' | 'ready' | 'published' | 'cancelled' | 'failed' | 'superseded'
/** Only `share` is there from the beginning: the rest comes with the first arrangement found. */
export interface PlanProgress {
  share: number
  cost?: number | null
  planned?: number | null
  unplanned?: number | null
  seconds?: number | null
}
export interface LeftOut {
  order_id: string
  visit_id: string
  kind: string
  resident: Named
  wanted_from: string
  code: string
  reason: string
  reason_zh: string
}
export interface PlanConflict {
  code: string
  hard: boolean
  order_id: string | null
  visit_id: string | null
  responder_id: string | null
  reason: string
  reason_zh: string
}
export interface Side {
  responder_id: string
  responder_ids: string[]
  start: string
  end: string
}
export interface PlanChange {
  order_id: string
  visit_id: string
  kind: string
  resident: Named
  was: Side | null
  now: Side | null
  tell: ('resident' | 'contact' | 'responder')[]
}
/** A plan as a list shows it. */
export interface PlanBrief {
  id: string
  version: number
  date: string
  areas: string[]
  kinds: string[]
  state: PlanState
  seconds: number
  based_on: string | null
  events: Record<string, unknown>[]
  progress: PlanProgress
  cost: Record<string, number>
  baseline: Record<string, number>
  counts: Record<string, number>
  /** Of a failure or a cancellation. */
  reason: string | null
  created_at: string
  finished_at: string | null
  published_at: string | null
}
/** So many more people, from when to when, would take these visits. */
export interface Missing {
  kind: string
  /** Where they would work from; null: it does not matter. */
  station: Named | null
  sex: 'f' | 'm' | null
  people: number
  from: string
  to: string
  visit_ids: string[]
}
export interface DayPlan extends PlanBrief {
  unplanned: LeftOut[]
  missing: Missing[]
  conflicts: PlanConflict[]
  changes: PlanChange[]
}
export interface Sums {
  id: string | null
  planned: number
  unplanned: number
  travel_min: number
  service_min: number
  late_min: number
  late_visits: number
  carers: number
  /** Share of visits by a regular carer, 0 to 1; null: nobody has one. */
  continuity: number | null
}
export interface Compared {
  before: Sums
  after: Sums
  changes: PlanChange[]
}
export interface Why {
  visit_id: string
  responder_ids: string[]
  reasons: Worded[]
  alternatives: { responder_ids: string[]; costs_more: number | null; reason: string; reason_zh: string }[]
}

/** What happened, for `POST /plans/replan`. */
export type DayEvent =
  | { kind: 'ill'; responder_id: string; from: string; until?: string }
  | { kind: 'urgent'; order_id: string }
  | { kind: 'road_closed'; ring: [number, number][]; from: string; until: string }
  | { kind: 'late'; visit_id: string; minutes: number }
  | { kind: 'swap'; visit_id: string; responder_id: string }
  | { kind: 'swap'; visit_id: string; with_visit_id: string }
  | { kind: 'move'; visit_id: string; start: string; responder_id?: string }
  | { kind: 'cancelled'; order_id: string }

const ENDED: ReadonlySet<string> = new Set(['declined', 'stood_down'])

/** Whoever goes or went; those who declined or were stood down are no longer of it. */
export function goers(order: DayOrder): Assignment[] {
  return (order.visit?.assignments ?? []).filter((one) => !ENDED.has(one.state))
}
