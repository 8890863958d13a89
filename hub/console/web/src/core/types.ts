/** The JSON shapes of `/api/v1`, as docs/wire/http-v1.md gives them. Unknown fields are ignored. */

export const PRIORITIES = ['critical', 'high', 'medium', 'low'] as const
export type Priority = (typeof PRIORITIES)[number]
export const CLASSES = ['emergency', 'health', 'whereabouts', 'technical', 'test'] as const
export type AlarmClass = (typeof CLASSES)[number]
export type IncidentState = 'open' | 'acknowledged' | 'in_progress' | 'resolved' | 'closed'
export const DISPOSITIONS = ['genuine', 'false', 'test', 'device_fault', 'duplicate', 'no_contact'] as const
export type Disposition = (typeof DISPOSITIONS)[number]
export type AssignmentState = 'offered' | 'accepted' | 'declined' | 'en_route' | 'on_scene' | 'completed' | 'stood_down'
export type Language = 'zh' | 'en'
export type Theme = 'auto' | 'light' | 'dark'

export interface Named {
  id: string
  name: string
}

export interface Session {
  user: {
    id: string
    username: string
    name: string
    role: string
    person_id: string | null
    provider_id?: string | null
    language: Language
    theme: Theme
  }
  on_duty: boolean
  expires_at: string
  server_time: string
  time_zone?: string
}

export interface Fix {
  lat: number
  lon: number
  accuracy_m?: number | null
  source?: string | null
  observed_at?: string | null
  /** How old it was when it came, in seconds; missing: nobody knows. */
  age_s?: number | null
}

/** Where people are sent, by the hub's rule, and why there. */
export interface IncidentPlace {
  lat: number
  lon: number
  kind: 'fix' | 'home' | 'area'
  reason: Reason
  /** How far position and address lie apart; null: only one of them is known. */
  apart_m: number | null
}

export interface Reason {
  code: string
  text: string
  weight?: number
  values?: Record<string, string | number | boolean | null>
}

export interface ResidentBrief {
  id: string
  name: string
  age: number | null
  sex: 'f' | 'm' | null
  phone: string | null
  address: string | null
  lat: number | null
  lon: number | null
  lives_alone: boolean
  status: string
  warnings: string[]
}

export interface AreaBrief {
  id: string
  name: string
  kind: string
  path?: { id: string; name: string; kind: string }[]
}

export interface Assignment {
  id: string
  version: number
  incident_id: string | null
  visit_id: string | null
  responder: { id: string; name: string; kind: string; phone: string | null }
  state: AssignmentState
  offered_at: string | null
  offered_by?: Named | string | null
  accepted_at: string | null
  en_route_at: string | null
  on_scene_at: string | null
  ended_at: string | null
  reason: string | null
  outcome: string | null
  reasons?: Reason[]
  eta_s: number | null
  /** When the phone last told where it was on the way: `eta_s` counts from then; missing: from the latest step. */
  eta_at?: string | null
}

/** A responder's phone told where it is; beside the timeline, so the next one makes up for one that was missed. */
export interface Moved {
  responder_id: string
  lat: number
  lon: number
  position_at: string
  position_accuracy_m: number
  arrivals: { assignment_id: string; incident_id: string | null; eta_s: number; eta_at: string }[]
}

export interface Incident {
  id: string
  number: number
  seq: number
  version: number
  state: IncidentState
  class: AlarmClass
  type: string
  types: string[]
  priority: Priority
  subject: string
  resident: ResidentBrief | null
  device: {
    id: string
    name: string | null
    family: string | null
    online: boolean | null
    battery_pct: number | null
    last_seen_at: string | null
  } | null
  area: AreaBrief | null
  fix: Fix | null
  place: IncidentPlace | null
  alarms: number
  opened_at: string
  first_alarm_at: string
  last_alarm_at: string
  acknowledged_by: Named | null
  acknowledged_at: string | null
  lease_until: string | null
  assignments: Assignment[]
  due_at: string | null
  due_step: string | null
  reasons: Reason[]
  shelved_until: string | null
  shelve_reason: string | null
  disposition: Disposition | null
  summary: string | null
  resolved_by: Named | null
  resolved_at: string | null
  supervision: 'none' | 'required' | 'done'
  supervised_by: Named | null
  supervised_at: string | null
  on_scene: boolean
  under_way: boolean
}

export interface Alarm {
  id: string
  ref: string | null
  device_id: string | null
  type: string
  class: AlarmClass
  priority: Priority
  observed_at: string | null
  received_at: string
  fix: Fix | null
  battery_pct: number | null
  test: boolean
  note: string | null
  source?: string | null
  attributes?: Record<string, unknown>
}

export interface Contact {
  id: string
  name: string
  relation: string | null
  phone: string | null
  kind: string
  has_key: boolean
  position: number | null
  responder_id?: string | null
  confirmed_on?: string | null
  masked?: string[]
}

export const CALL_OUTCOMES = ['answered', 'busy', 'no_answer', 'failed'] as const
export type CallOutcome = (typeof CALL_OUTCOMES)[number]

export interface Call {
  id: string
  direction: 'in' | 'out'
  number: string
  incident_id: string | null
  resident_id: string | null
  /** `resident:ID`, `contact:ID`, `responder:ID`, `120`. */
  party: string | null
  started_at: string
  answered_at: string | null
  ended_at: string | null
  outcome: CallOutcome | null
  note: string | null
  /** The seat that took a call which came in. */
  answered_by?: Named | null
}

export interface PresenceRow {
  user: Named
  incident_id: string
  since: string
}

/** An alarm that came while the database is away: in the journal, told to its device, without an incident yet. */
export interface Provisional {
  /** Tells it apart where it is heard twice. */
  number: number
  device: { id: string; family: string }
  resident: { id: string; name: string; phone: string | null; address: string | null } | null
  type: string
  class: AlarmClass
  priority: Priority
  note: string | null
  test: boolean
  received_at: string
}

/** The database is away: since when, alarms in the journal, and whether they are being taken over already. */
export interface Dark {
  since: string
  journalled: number
  replaying: boolean
  error: string | null
}

export interface Site {
  name: string
  phone: string
  time_zone: string
  tiles: { url: string; subdomains: string; crs: 'wgs84' | 'gcj02'; attribution: string; max_zoom: number } | null
  retention_days: Record<string, number>
  session_hours: number
  lease_seconds: number
  supervision_sample: number
}

export interface Access {
  gate?: string | null
  lift?: string | boolean | null
  key_with?: string | null
  door_note?: string | null
}

export interface ResidentDetail {
  conditions?: string[] | string | null
  medications?: string[] | string | null
  allergies?: string[] | string | null
  ability_level?: string | number | null
  languages?: string[] | string | null
  hearing?: string | null
  access?: Access | null
  notes?: string | null
}

export interface IncidentDetail extends Incident {
  alarm_rows: Alarm[]
  contacts: Contact[]
  plan: { steps: { code: string; zh: string; en: string; after_s: number }[] } | null
  resident_detail: ResidentDetail | null
  calls: Call[]
}

export interface TimelineEntry {
  seq: number
  at: string
  kind: string
  actor: { kind: string; id: string | null; name: string | null } | null
  body: Record<string, unknown>
}

export interface Responder {
  id: string
  name: string
  kind: string
  phone: string | null
  lat: number | null
  lon: number | null
  position_at: string | null
  position_accuracy_m?: number | null
  on_duty: boolean
  busy: boolean
  live?: number
  mode?: string
  skills?: { skill: string; expires_on: string | null }[]
}

export interface Candidate {
  responder: Responder
  eligible: boolean
  distance_m: number | null
  eta_s: number | null
  score: number
  reasons: Reason[]
}

export interface Area {
  id: string
  parent_id: string | null
  kind: string
  name: string
  lat: number | null
  lon: number | null
  boundary: { type: string; coordinates: unknown } | null
  /** False: retired; nothing lies in it any more. */
  active?: boolean
}

export interface Station {
  id: string
  kind: string
  name: string
  lat: number | null
  lon: number | null
}

export interface Resident extends Omit<ResidentBrief, 'warnings'> {
  born_on?: string | null
  area?: AreaBrief | null
  status_since?: string | null
  served?: boolean
  ability_level?: string | number | null
  conditions?: string[] | string | null
  medications?: string[] | string | null
  allergies?: string[] | string | null
  languages?: string[] | string | null
  flags?: string[] | null
  access?: Access | null
  notes?: string | null
  warnings?: string[]
  /** Where the resident was last; without `lat`, `lon` and `apart_m` until it is opened. */
  position?: (Partial<Fix> & { device: { id: string; name: string | null; family: string }; apart_m?: number | null }) | null
  /** Names of what was taken out; absent: nothing is. */
  masked?: string[]
  version: number
}

export interface Device {
  id: string
  family: string
  name: string | null
  model: string | null
  resident: Named | null
  area_id: string | null
  online: boolean | null
  last_seen_at: string | null
  battery_pct: number | null
  interval_s: number | null
  /** Of a resident's device without the place itself. */
  last_fix?: Partial<Fix> | null
}

export interface ServiceKind {
  id: string
  zh: string
  en: string
  duration_min: number | null
}

export interface Visit {
  id: string
  order_id: string
  state: string
  planned_start: string | null
  started_at: string | null
  ended_at: string | null
  assignments: Assignment[]
  outcome: string | null
}

export interface Order {
  id: string
  number: number
  version: number
  kind: string
  state: string
  /** null: a repair where nobody lives, in `area`. */
  resident: ResidentBrief | null
  area?: { id: string; name: string; lat: number | null; lon: number | null } | null
  device?: { id: string; name: string | null; family: string } | null
  wanted_from: string
  wanted_to: string | null
  duration_min: number | null
  carers: number | null
  note: string | null
  source?: string | null
  created_at: string
  visit: Visit | null
}

export type NextStep = 'accept' | 'en-route' | 'on-scene' | 'complete'

export interface Task {
  assignment: Assignment
  incident: Incident | null
  order: Order | null
  next: NextStep | null
  /** A stop of a courier's round, which has a page of its own (`phone/meals.ts`). */
  meal?: object
}

export interface Summary {
  unclaimed: Record<Priority, number>
  mine: number
  last_alarm_at: string | null
  devices: { online: number; total: number }
  technical_open: number
  server_time: string
  cursor?: string | null
}

export interface Page<T> {
  items: T[]
  next: string | null
  cursor?: string | null
}

export interface LiveEvent {
  event: string
  id?: string | null
  data: unknown
}
