/** The call log. A call is written down when it is dialled: while it is open the hub keeps the claim of its incident. */
import { shallowRef } from 'vue'
import { serverNow } from '../core/clock.ts'
import { call as request, post } from '../core/http.ts'
import { t } from '../core/i18n.ts'
import type { Call, CallOutcome, Contact, Incident } from '../core/types.ts'
import { toast } from '../ui/toasts.ts'
import { explain } from './actions.ts'

export interface Party {
  party: string
  name: string
  phone: string
  /** Who it is to the resident: a relation in the record's own words, or a code of `contact.`. */
  relation: string | null
  kind: string
  hasKey: boolean
}

/** The call this seat has open. One at a time: a person has one telephone at the ear. */
export const openCall = shallowRef<{ call: Call; name: string } | null>(null)
/** Nobody lifts the receiver for so long: ring the next one. */
export const RING_S = 45

/** Whom to ring, in order: the resident first, then the contacts as they are numbered, then 120. */
export function partiesOf(incident: Incident, contacts: readonly Contact[]): Party[] {
  const out: Party[] = []
  if (incident.resident?.phone) out.push({ party: `resident:${incident.resident.id}`, name: incident.resident.name, phone: incident.resident.phone, relation: null, kind: 'resident', hasKey: false })
  for (const one of [...contacts].sort((a, b) => (a.position ?? 99) - (b.position ?? 99))) {
    if (one.phone) out.push({ party: `contact:${one.id}`, name: one.name, phone: one.phone, relation: one.relation, kind: one.kind, hasKey: one.has_key })
  }
  out.push({ party: '120', name: '120', phone: '120', relation: null, kind: '120', hasKey: false })
  return out
}

/** Whether the person was spoken to: step one of every matter of a person. */
export function spokenTo(calls: readonly Call[], residentId: string): Call | undefined {
  return calls.find((one) => one.party === `resident:${residentId}` && (one.outcome === 'answered' || one.answered_at !== null))
}

const now = () => new Date(serverNow()).toISOString()

export async function dial(incident: Incident, party: Party): Promise<void> {
  if (openCall.value) await hangUp(openCall.value.call.answered_at ? 'answered' : 'no_answer')
  try {
    const body = { direction: 'out', number: party.phone, incident_id: incident.id, resident_id: incident.resident?.id ?? null, party: party.party, started_at: now() }
    openCall.value = { call: await post<Call>('/calls', body), name: party.name }
  } catch (error) {
    // The number is on the screen and is dialled by hand: only the log is missing, and says so.
    toast(t('call.log_failed', { why: explain(error) }), 'bad')
  }
}

export async function answered(): Promise<void> {
  const open = openCall.value
  if (!open) return
  await patch(open.call, { answered_at: now() })
}

export async function hangUp(outcome: CallOutcome, note?: string): Promise<void> {
  const open = openCall.value
  if (!open) return
  openCall.value = null
  const body: Record<string, unknown> = { outcome, ended_at: now() }
  if (outcome === 'answered' && !open.call.answered_at) body.answered_at = body.ended_at
  if (note) body.note = note
  try {
    await request<Call>('PATCH', `/calls/${encodeURIComponent(open.call.id)}`, { body })
    toast(t('call.logged', { name: open.name, how: t(`call.${outcome}`) }))
  } catch (error) {
    openCall.value = open
    toast(explain(error), 'bad')
  }
}

async function patch(call: Call, body: Record<string, unknown>): Promise<void> {
  try {
    const next = await request<Call>('PATCH', `/calls/${encodeURIComponent(call.id)}`, { body })
    if (openCall.value?.call.id === call.id) openCall.value = { ...openCall.value, call: next }
  } catch (error) {
    toast(explain(error), 'bad')
  }
}
