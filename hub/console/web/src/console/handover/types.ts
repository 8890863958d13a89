import type { IncidentState, Named, Priority } from '../../core/types.ts'

export interface OpenItem {
  id: string
  number: number
  state: IncidentState
  priority: Priority
  type: string
  resident: string | null
  address: string | null
  device: string | null
  area: string | null
  opened_at: string
  alarms: number
  shelved_until: string | null
  shelve_reason: string | null
  on_scene: boolean
  holder: Named | null
  responders: string[]
}

export interface HandoverBody {
  open?: OpenItem[]
  late_orders?: { id: string; number: number; kind: string; resident: string; wanted_to: string; state: string }[]
  watched?: { id: string; name: string; status: string; incidents: number }[]
  outages?: { upstream: string | null; family: string; devices: number; since: string | null }[]
  notes?: { at: string; name: string | null; incident_id: string; number: number; text: string }[]
  on_duty?: { id: string; name: string; kind: string; phone: string | null }[]
  counts?: Record<string, number>
  sound_test?: { at: string | null; name: string | null } | null
}

export interface Handover {
  id: string
  number: number
  state: 'draft' | 'signed' | 'done' | 'cancelled'
  shift_from: string
  made_at: string
  outgoing: Named
  incoming: Named | null
  body: HandoverBody
  remarks: string | null
  signed_at: string | null
  ticked: string[]
  accepted_at: string | null
  moved: string[]
  version: number
}
