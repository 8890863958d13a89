/** What an operator does to an incident. Each action answers with the incident; a lost race says who was first and when. */
import { shallowReactive } from 'vue'
import { clockTime, serverNow, shortTime } from '../core/clock.ts'
import { Problem, get, post } from '../core/http.ts'
import { t, word } from '../core/i18n.ts'
import { me } from '../core/session.ts'
import type { Assignment, Disposition, Incident } from '../core/types.ts'
import { toast } from '../ui/toasts.ts'
import { incidentById, takeAssignment, takeIncident } from './store.ts'
import { offerUndo, withdraw } from './undo.ts'

/** Errors that stay on the row until it changes or is tried again. */
export const rowErrors = shallowReactive(new Map<string, string>())
/** Incidents something is under way for, and `ID action` for each of them. */
export const running = shallowReactive(new Set<string>())

/** Says a failure in the reader's language; the server's own sentence is added where it has one. */
export function explain(error: unknown, now?: Incident): string {
  if (!(error instanceof Problem)) return String(error)
  if (error.status === 0) return t('problem.network')
  if (error.status === 412) return t('problem.changed')
  if (error.status === 409) {
    const holder = now?.acknowledged_by ?? now?.resolved_by
    const who = error.by?.name ?? (error.by?.id && error.by.id === holder?.id ? holder?.name : undefined)
    if (who && error.at) return t('problem.first', { who, at: clockTime(error.at) })
    return t('problem.conflict', { detail: error.detail })
  }
  const limit = error.body.limit_s
  if (error.code === 'shelf-refused' && typeof limit === 'number') return t('problem.shelf_limit', { n: limit >= 5400 ? t('unit.hours', { n: Math.round(limit / 3600) }) : t('unit.minutes', { n: Math.round(limit / 60) }) })
  if (error.status === 429) return t('problem.throttled', { s: error.retryAfterS ?? 30 })
  return word('problem', error.code, word('problem', String(error.status), t('problem.other', { status: error.status, detail: error.detail }), { detail: error.detail }))
}

const tails = new Map<string, Promise<unknown>>()

/** One after the other for each incident: sent while the claim is still under way, an assignment waits for it and is not lost. */
function act(incident: Incident, path: string, body: unknown, done: string, version?: number, undo?: (now: Incident) => Promise<unknown>): Promise<Incident> {
  const before = tails.get(incident.id) ?? Promise.resolve()
  const mine = before.then(
    () => send(incident, path, body, done, version, undo),
    () => send(incident, path, body, done, version, undo),
  )
  tails.set(incident.id, mine)
  const end = () => tails.get(incident.id) === mine && tails.delete(incident.id)
  mine.then(end, end)
  return mine
}

async function send(incident: Incident, path: string, body: unknown, done: string, version?: number, undo?: (now: Incident) => Promise<unknown>): Promise<Incident> {
  // What came before is settled by doing the next thing: its undo must not meet the wrong state.
  withdraw()
  running.add(incident.id)
  running.add(`${incident.id} ${path}`)
  rowErrors.delete(incident.id)
  try {
    const answer = await post<Incident>(`/incidents/${encodeURIComponent(incident.id)}/${path}`, body, { version })
    takeIncident(answer)
    if (undo) offerUndo(done, () => undo(answer).catch(() => {}))
    else toast(done)
    return answer
  } catch (error) {
    if (error instanceof Problem && error.lost) await refetch(incident.id)
    const text = explain(error, incidentById(incident.id))
    rowErrors.set(incident.id, text)
    toast(text, 'bad')
    throw error
  } finally {
    running.delete(incident.id)
    running.delete(`${incident.id} ${path}`)
  }
}

async function refetch(id: string): Promise<void> {
  try {
    takeIncident(await get<Incident>(`/incidents/${encodeURIComponent(id)}`))
  } catch {
    // the stream brings it
  }
}

export const nameOf = (incident: Incident) =>
  incident.resident?.name ?? incident.device?.name ?? incident.device?.id ?? incident.area?.name ?? `#${incident.number}`

// Claiming, sending and escalating carry no version: a resident who presses again meanwhile must not make them fail. The
// server's state rules decide who was first. Closing, shelving and supervising do: nobody may end what they have not read.
export const acknowledge = (i: Incident) => act(i, 'acknowledge', {}, t('done.acknowledge', { name: nameOf(i) }), undefined, (now) => act(now, 'release', { reason: t('undo.reason') }, t('done.undone')))
export const release = (i: Incident) => act(i, 'release', {}, t('done.release', { name: nameOf(i) }), undefined, (now) => act(now, 'acknowledge', {}, t('done.undone')))
export const transfer = (i: Incident, userId: string, name: string, reason: string) =>
  act(i, 'transfer', { user_id: userId, ...(reason ? { reason } : {}) }, t('done.transfer', { name }))
export const assign = (i: Incident, responderId: string, responderName: string, note?: string) =>
  act(i, 'assign', { responder_id: responderId, ...(note ? { note } : {}) }, t('done.assign', { name: responderName }))
export const escalate = (i: Incident, reason?: string) => act(i, 'escalate', reason ? { reason } : {}, t('done.escalate', { name: nameOf(i) }))
/** `end`: so many minutes from now by the hub's clock, or a moment. */
export const shelve = (i: Incident, end: { minutes: number } | { until: string }, reason: string) =>
  act(i, 'shelve', { ...end, reason }, 'until' in end ? t('done.shelve.until', { name: nameOf(i), at: shortTime(end.until) }) : t('done.shelve', { name: nameOf(i), minutes: end.minutes }), i.version, (now) => act(now, 'unshelve', { reason: t('undo.reason') }, t('done.undone')))
export const unshelve = (i: Incident) => act(i, 'unshelve', {}, t('done.unshelve', { name: nameOf(i) }))
export const close = (i: Incident, disposition: Disposition, text: string) =>
  act(i, 'close', { disposition, summary: text }, t('done.close', { name: nameOf(i) }), i.version, (now) => uncloseAndClaim(now, i))
export const reopen = (i: Incident, reason: string) => act(i, 'reopen', { reason }, t('done.reopen', { name: nameOf(i) }))
export const note = (i: Incident, text: string) => act(i, 'note', { text }, t('done.note'))
export const supervise = (i: Incident, verdict: 'confirmed' | 'returned', text: string) =>
  act(i, 'supervise', { verdict, ...(text ? { note: text } : {}) }, t(`done.supervise.${verdict}`), i.version)

/** A close taken back: open again, and in the same hands as before. */
async function uncloseAndClaim(now: Incident, before: Incident): Promise<void> {
  const open = await act(now, 'reopen', { reason: t('undo.reason') }, t('done.undone'))
  if (before.acknowledged_by && before.acknowledged_by.id === me.value?.id) await act(open, 'acknowledge', {}, t('done.undone'))
}

const TOUCH_MS = 20_000
const touched = new Map<string, number>()

/** Renews one's own claim, at most every 20 s. A failure is silent: the claim's countdown is on the screen. */
export function touch(incident: Incident): void {
  const now = serverNow()
  if (incident.acknowledged_by?.id !== me.value?.id || now - (touched.get(incident.id) ?? -Infinity) < TOUCH_MS) return
  touched.set(incident.id, now)
  post<Incident>(`/incidents/${encodeURIComponent(incident.id)}/touch`).then(takeIncident, () => {})
}

/** An operator reports for a responder who called in. */
export async function step(assignment: Assignment, verb: string, body: Record<string, unknown>): Promise<void> {
  try {
    const answer = await post<Assignment>(`/assignments/${encodeURIComponent(assignment.id)}/${verb}`, body)
    if (answer?.responder) takeAssignment(answer)
    toast(t('done.step', { name: assignment.responder.name, step: word('verb', verb) }))
  } catch (error) {
    toast(explain(error), 'bad')
  }
}
