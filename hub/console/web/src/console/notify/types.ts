/** Shapes of the API of this page. */

export interface Notice {
  id: string
  lane: 'alarm' | 'routine'
  channel: string
  party: string
  name: string | null
  template: string
  state: 'waiting' | 'sent' | 'failed' | 'expired' | 'withdrawn'
  created_at: string
  due_at: string
  sent_at: string | null
  ended_at: string | null
  attempts: number
  outcome: string | null
  reason: string | null
  incident_id: string | null
  incident_number: number | null
  next_channels: string[]
  event: string | null
}

export interface Tried {
  number: number
  at: string
  ended_at: string | null
  result: string | null
  reason: string | null
}

export interface NoticeDetail extends Notice {
  tries: Tried[]
}

export interface LaneCount {
  lane: 'alarm' | 'routine'
  channel: string
  waiting: number
  oldest_due_s: number
  sent_hour: number
  failed_hour: number
  last_sent_at: string | null
  last_error: string | null
}

export interface Words {
  title: string
  short: string
  spoken: string
  full: string
}

export interface WordingState {
  version: number
  changed: boolean
  changed_at: string | null
  standard: Words
}

export interface WordingVersion {
  language: 'zh' | 'en'
  version: number
  standard: boolean
  title: string | null
  short: string | null
  spoken: string | null
  full: string | null
  note: string | null
  at: string
  by: string | null
}

export interface TemplateDetail extends Template {
  versions: WordingVersion[]
}

export interface WordsTried {
  said: (Words & { segments: string }) | null
  faults: { part: keyof Words; text: string }[]
  remarks: { part: keyof Words; text: string }[]
}

export interface Template {
  name: string
  required: string[]
  optional: string[]
  asks: boolean
  placeholders: Record<keyof Words, string[]>
  zh: Words
  en: Words
  zh_state: WordingState
  en_state: WordingState
  segments: Record<string, number>
  registered: boolean
}

export interface Overview {
  channels: { channel: string; provider: string | null; groups: string[] }[]
  counts: LaneCount[]
  templates: Template[]
  quiet_from: string | null
  quiet_to: string | null
  links: boolean
  key_presses: boolean
}

export interface Webhook {
  id: string
  name: string
  url: string
  events: string[]
  created_at: string
  revoked_at: string | null
  old_secret_until: string | null
  last_sent_at: string | null
  last_error: string | null
  waiting: number
  failed: number
  version: number
}

export const EVENTS = ['incident.raised', 'incident.updated', 'incident.resolved', 'incident.closed', 'assignment.updated', 'order.updated'] as const
