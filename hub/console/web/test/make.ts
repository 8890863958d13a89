/** Incidents and assignments for tests: everything a default but what the test is about. */
import type { Assignment, Incident, Task } from '../src/core/types.ts'

export const T0 = Date.parse('2026-11-22T06:00:00Z')
export const at = (seconds: number) => new Date(T0 + seconds * 1000).toISOString()

export function incident(id: string, change: Partial<Incident> = {}): Incident {
  return {
    id,
    number: 1,
    seq: 1,
    version: 1,
    state: 'open',
    class: 'emergency',
    type: 'sos',
    types: ['sos'],
    priority: 'critical',
    subject: `resident:${id}`,
    resident: null,
    device: null,
    area: null,
    fix: null,
    place: null,
    alarms: 1,
    opened_at: at(0),
    first_alarm_at: at(0),
    last_alarm_at: at(0),
    acknowledged_by: null,
    acknowledged_at: null,
    lease_until: null,
    assignments: [],
    due_at: null,
    due_step: null,
    reasons: [],
    shelved_until: null,
    shelve_reason: null,
    disposition: null,
    summary: null,
    resolved_by: null,
    resolved_at: null,
    supervision: 'none',
    supervised_by: null,
    supervised_at: null,
    on_scene: false,
    under_way: false,
    ...change,
  }
}

export function assignment(id: string, change: Partial<Assignment> = {}): Assignment {
  return {
    id,
    version: 1,
    incident_id: null,
    visit_id: null,
    responder: { id: 'S-1', name: 'Sun', kind: 'grid_officer', phone: null },
    state: 'offered',
    offered_at: at(0),
    accepted_at: null,
    en_route_at: null,
    on_scene_at: null,
    ended_at: null,
    reason: null,
    outcome: null,
    eta_s: null,
    ...change,
  }
}

export function task(id: string, change: Partial<Task> = {}): Task {
  return { assignment: assignment(id), incident: null, order: null, next: 'accept', ...change }
}
