/** What stands where in the queue. Pure. */
import { PRIORITIES, type AlarmClass, type Incident, type Priority } from './types.ts'

export const TABS = ['open', 'mine', 'progress', 'shelved', 'recent', 'technical'] as const
export type Tab = (typeof TABS)[number]

export function rank(priority: Priority): number {
  return PRIORITIES.indexOf(priority)
}

export function isLive(incident: Incident): boolean {
  return incident.state === 'open' || incident.state === 'acknowledged' || incident.state === 'in_progress'
}

export function isShelved(incident: Incident, now: number): boolean {
  return incident.shelved_until !== null && incident.shelved_until !== undefined && Date.parse(incident.shelved_until) > now
}

/** Waiting for somebody to take it: what counts, sounds and blinks. Technical matters are a work list of their own. */
export function isUnclaimed(incident: Incident, now: number): boolean {
  return incident.state === 'open' && incident.class !== 'technical' && !isShelved(incident, now)
}

export function inTab(incident: Incident, tab: Tab, me: string | null, now: number): boolean {
  if (tab === 'recent') return !isLive(incident)
  if (!isLive(incident)) return false
  if (tab === 'technical') return incident.class === 'technical'
  if (incident.class === 'technical') return false
  if (isShelved(incident, now)) return tab === 'shelved'
  if (tab === 'open') return incident.state === 'open'
  if (tab === 'mine') return incident.acknowledged_by !== null && incident.acknowledged_by.id === me
  return tab === 'progress' && incident.state !== 'open'
}

/** Parsed once for each version of an incident: five thousand rows are compared a hundred thousand times a second. */
const opened = new WeakMap<Incident, number>()
function openedMs(incident: Incident): number {
  let at = opened.get(incident)
  if (at === undefined) opened.set(incident, (at = Date.parse(incident.opened_at)))
  return at
}

/** Unclaimed first, then level, then longest waiting; the id makes it total, so equal rows never swap. */
export function byUrgency(a: Incident, b: Incident): number {
  const claimed = Number(a.state !== 'open') - Number(b.state !== 'open')
  if (claimed) return claimed
  const level = rank(a.priority) - rank(b.priority)
  if (level) return level
  const waiting = openedMs(a) - openedMs(b)
  if (waiting) return waiting
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0
}

/** Latest end first: the closed ones. */
export function byEnd(a: Incident, b: Incident): number {
  const end = Date.parse(b.resolved_at ?? b.last_alarm_at) - Date.parse(a.resolved_at ?? a.last_alarm_at)
  return end || (a.id < b.id ? -1 : 1)
}

const GOING = new Set(['offered', 'accepted', 'en_route', 'on_scene'])

/** Whoever was sent has finished, and nobody has closed it yet: it looks handled and is not over. */
export function isToClose(incident: Incident): boolean {
  return incident.state === 'in_progress' && !incident.assignments.some((one) => GOING.has(one.state)) && incident.assignments.some((one) => one.state === 'completed')
}

export interface Filter {
  priorities: ReadonlySet<Priority>
  classes: ReadonlySet<AlarmClass>
  text: string
  /** The area it lies in, or any below it; absent: everywhere. */
  area?: string | null
}

/** Whether it happened in the area or anywhere below it. Without a place it belongs to no area. */
export function liesIn(incident: Pick<Incident, 'area'>, areaId: string): boolean {
  return incident.area !== null && (incident.area.id === areaId || (incident.area.path ?? []).some((one) => one.id === areaId))
}

/** Empty sets mean "all". The text is looked for in name, place, phone, device and the incident's number. */
export function passes(incident: Incident, filter: Filter): boolean {
  if (filter.priorities.size && !filter.priorities.has(incident.priority)) return false
  if (filter.classes.size && !filter.classes.has(incident.class)) return false
  if (filter.area && !liesIn(incident, filter.area)) return false
  const wanted = filter.text.trim().toLowerCase()
  if (!wanted) return true
  const words = [
    incident.resident?.name,
    incident.resident?.address,
    incident.resident?.phone,
    incident.resident?.id,
    incident.device?.id,
    incident.device?.name,
    incident.area?.name,
    ...(incident.area?.path ?? []).map((a) => a.name),
    `#${incident.number}`,
  ]
  return words.some((word) => word?.toLowerCase().includes(wanted))
}

export interface Shown {
  /** Ids in the order on the screen. */
  ids: string[]
  /** Ids that wait to join, most urgent first. */
  fresh: string[]
}

/**
 * The list the eye sees. While held (pointer over it, scrolling, frozen) no row moves or leaves: new ones wait in `fresh`,
 * those that left the tab stay where they were. Released, it becomes what it should be.
 */
export function settle(shown: readonly string[], wanted: readonly string[], held: boolean): Shown {
  if (!held || shown.length === 0) return { ids: [...wanted], fresh: [] }
  const there = new Set(shown)
  return { ids: [...shown], fresh: wanted.filter((id) => !there.has(id)) }
}

/** Seconds within which a matter of this level should have been taken (TSA: 60 s and 180 s for the answer). */
export const ANSWER_TARGET_S: Record<Priority, number> = { critical: 60, high: 180, medium: 600, low: 3600 }

export function isOverdue(incident: Incident, now: number): boolean {
  return isUnclaimed(incident, now) && now - openedMs(incident) > ANSWER_TARGET_S[incident.priority] * 1000
}

/** A place for a narrow column: community and grid without the district everybody knows. */
export function placeOf(incident: Incident): string {
  if (incident.resident?.address) return incident.resident.address
  const path = incident.area?.path ?? []
  const names = path.length ? path.slice(-2).map((a) => a.name) : incident.area ? [incident.area.name] : []
  return names.join('·')
}

/** Where to draw it, and to go: where the hub says. */
export function pointOf(incident: Incident): [number, number] | null {
  return incident.place ? [incident.place.lat, incident.place.lon] : null
}
