/** The live picture as a reducer: a snapshot, then events on it. Pure, so that every order of arrival can be tested. */
import { isLive } from './order.ts'
import type { Assignment, Call, Incident, LiveEvent, Moved, Order, PresenceRow, Provisional, TimelineEntry } from './types.ts'

export interface LiveState {
  incidents: Map<string, Incident>
  /** Ended while we watched: shown at the top of the closed list without asking again. */
  ended: Map<string, Incident>
  /** Moments of alarms seen (ms): the flood is counted from them. */
  alarmTimes: number[]
}

export interface Effects {
  raised: string[]
  /** A further press on something already claimed: it alerts again. */
  realerted: string[]
  touched: Set<string>
  orders: Order[]
  devices: boolean
  /** Staff may have moved or changed their state. */
  presence: boolean
  /** Who looks at what, as it is now; null: nothing was said about it. */
  present: PresenceRow[] | null
  /** A call that comes in changed: it rings, was answered, or is over. */
  calls: boolean
  moved: Moved[]
  provisional: Provisional[]
}

export function emptyState(): LiveState {
  return { incidents: new Map(), ended: new Map(), alarmTimes: [] }
}

export function noEffects(): Effects {
  return { raised: [], realerted: [], touched: new Set(), orders: [], devices: false, presence: false, present: null, calls: false, moved: [], provisional: [] }
}

/** Replaces everything by a snapshot. */
export function load(state: LiveState, incidents: readonly Incident[]): void {
  state.incidents.clear()
  for (const incident of incidents) if (isLive(incident)) state.incidents.set(incident.id, incident)
  state.alarmTimes = incidents.filter((i) => i.class !== 'technical').map((i) => Date.parse(i.first_alarm_at))
}

const ENDED_KEPT = 300

/** Takes one incident, from an event or from the answer to an action. Returns false for an older version than the one known. */
export function putIncident(state: LiveState, incident: Incident): boolean {
  const known = state.incidents.get(incident.id) ?? state.ended.get(incident.id)
  // The version rises with every write of the incident, `seq` with every line of its timeline.
  if (known && (known.version > incident.version || (known.version === incident.version && known.seq > incident.seq))) return false
  if (isLive(incident)) {
    state.ended.delete(incident.id)
    state.incidents.set(incident.id, incident)
  } else {
    state.incidents.delete(incident.id)
    state.ended.set(incident.id, incident)
    if (state.ended.size > ENDED_KEPT) state.ended.delete(state.ended.keys().next().value as string)
  }
  return true
}

export function putAssignment(state: LiveState, assignment: Assignment): string | null {
  const incident = assignment.incident_id ? state.incidents.get(assignment.incident_id) : undefined
  if (!incident) return null
  const at = incident.assignments.findIndex((a) => a.id === assignment.id)
  if (at >= 0 && incident.assignments[at]!.version > assignment.version) return null
  const assignments = [...incident.assignments]
  if (at >= 0) assignments[at] = assignment
  else assignments.push(assignment)
  state.incidents.set(incident.id, { ...incident, assignments })
  return incident.id
}

/** An arrival that was reckoned anew. An older one than the one known changes nothing. */
function putArrival(state: LiveState, one: Moved['arrivals'][number]): boolean {
  const incident = one.incident_id ? state.incidents.get(one.incident_id) : undefined
  const known = incident?.assignments.find((a) => a.id === one.assignment_id)
  if (!incident || !known || (known.eta_at && Date.parse(known.eta_at) > Date.parse(one.eta_at))) return false
  state.incidents.set(incident.id, { ...incident, assignments: incident.assignments.map((a) => (a === known ? { ...known, eta_s: one.eta_s, eta_at: one.eta_at } : a)) })
  return true
}

function entriesOf(data: Record<string, unknown>): TimelineEntry[] {
  if (Array.isArray(data.entries)) return data.entries as TimelineEntry[]
  return data.entry ? [data.entry as TimelineEntry] : []
}

/** Applies one event and notes in `effects` what the page has to do about it. */
export function apply(state: LiveState, event: LiveEvent, effects: Effects): void {
  const data = (event.data ?? {}) as Record<string, unknown>
  if (event.event === 'incident.raised' || event.event === 'incident.updated') {
    const incident = data.incident as Incident | undefined
    if (!incident) return
    const fresh = !state.incidents.has(incident.id)
    if (!putIncident(state, incident)) return
    effects.touched.add(incident.id)
    const entries = entriesOf(data)
    for (const entry of entries) {
      if (incident.class !== 'technical' && (entry.kind === 'raised' || entry.kind === 'pressed')) {
        state.alarmTimes.push(Date.parse(entry.at))
        if (state.alarmTimes.length > 2000) state.alarmTimes.splice(0, 1000)
      }
    }
    if (!isLive(incident)) return
    if (event.event === 'incident.raised' || (fresh && incident.state === 'open')) effects.raised.push(incident.id)
    else if (entries.some((e) => e.kind === 'realerted' || e.kind === 'reopened' || e.kind === 'lease_expired')) effects.realerted.push(incident.id)
  } else if (event.event === 'assignment.updated') {
    const assignment = data.assignment as Assignment | undefined
    const touched = assignment && putAssignment(state, assignment)
    if (touched) effects.touched.add(touched)
    effects.presence = true
  } else if ((event.event === 'order.updated' || event.event === 'visit.updated') && data.order) effects.orders.push(data.order as Order)
  else if (event.event === 'responder.moved') {
    const moved = data as unknown as Moved
    effects.moved.push(moved)
    for (const one of moved.arrivals) if (putArrival(state, one)) effects.touched.add(one.incident_id!)
  } else if (event.event === 'device.updated') effects.devices = true
  else if (event.event === 'presence.updated') {
    if (Array.isArray(data.present)) effects.present = data.present as PresenceRow[]
    else effects.presence = true
  } else if (event.event === 'call.updated') effects.calls ||= (data.call as Call | undefined)?.direction === 'in'
  else if (event.event === 'incident.provisional') effects.provisional.push(data as unknown as Provisional)
}
