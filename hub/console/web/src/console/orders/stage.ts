/** Where an order stands on the board, how late it is, and what the filters leave. Pure: `now` comes in. */
import { metresBetween } from '../../core/geo.ts'
import { goers, type DayOrder, type Late } from './types.ts'

export const COLUMNS = ['vacant', 'offered', 'accepted', 'under_way', 'in_service', 'follow_up', 'trouble'] as const
export type Column = (typeof COLUMNS)[number]
export type Stage = Column | 'done'

const MINUTE = 60_000
/** Minutes after which a visit that has not begun is yellow, red, missed. */
export const LATE_AFTER: readonly [Late, number][] = [
  ['missed', 60],
  ['red', 30],
  ['yellow', 15],
]
const SEVERITY: Record<Late, number> = { yellow: 1, red: 2, missed: 3 }

/** A return visit to be made, or a complaint nobody has asked after yet. */
export function needsFollowUp(order: DayOrder): boolean {
  if (order.return_visit) return !order.return_visit.done_at
  return order.satisfaction?.complaint === true
}

export function isFlagged(order: DayOrder): boolean {
  return (order.visit?.checks ?? []).some((one) => one.verdict === 'flagged' && !one.review)
}

export function stageOf(order: DayOrder): Stage {
  if (order.state === 'missed' || order.state === 'aborted') return 'trouble'
  if (order.state === 'in_service') return 'in_service'
  if (order.state === 'completed') return needsFollowUp(order) || isFlagged(order) ? 'follow_up' : 'done'
  if (order.state === 'cancelled') return 'done'
  const states = goers(order).map((one) => one.state)
  if (states.includes('en_route') || states.includes('on_scene')) return 'under_way'
  if (!states.length) return 'vacant'
  return states.every((one) => one === 'accepted') ? 'accepted' : 'offered'
}

/** How many carers are still wanted. */
export function missingCarers(order: DayOrder): number {
  return ['requested', 'assigned'].includes(order.state) ? Math.max(0, (order.carers ?? 1) - goers(order).length) : 0
}

/** What the visit is measured by: what was promised, else the planned start, else the latest that was wanted. */
export function dueAt(order: DayOrder): number {
  const visit = order.visit
  return Date.parse(visit?.promised_to ?? order.wanted_to ?? visit?.planned_start ?? order.wanted_from)
}
export function startOf(order: DayOrder): number {
  return Date.parse(order.visit?.planned_start ?? order.wanted_from)
}

export interface Lateness {
  level: Late
  minutes: number
}

/** Counted here between two words of the hub, so that nothing has to be pushed for a minute to pass; the worse of both is shown. */
export function latenessOf(order: DayOrder, now: number): Lateness | null {
  const waiting = order.state === 'requested' || order.state === 'assigned'
  const minutes = Math.floor((now - dueAt(order)) / MINUTE)
  const own = waiting ? (LATE_AFTER.find(([, after]) => minutes >= after)?.[0] ?? null) : null
  const said = order.late ?? order.visit?.late ?? null
  const level = own && (!said || SEVERITY[own] > SEVERITY[said]) ? own : said
  return level ? { level, minutes: Math.max(0, waiting ? minutes : Math.floor((Date.parse(order.visit?.started_at ?? '') - dueAt(order)) / MINUTE) || 0) } : null
}

export interface Filter {
  kind: string
  provider: string
  area: string
  /** Minutes of the day; null: open on that side. */
  from: number | null
  to: number | null
  text: string
  /** Only what is late, vacant, in conflict. */
  only: ReadonlySet<'late' | 'vacant' | 'conflict'>
}
export const NO_FILTER: Filter = { kind: '', provider: '', area: '', from: null, to: null, text: '', only: new Set() }

export interface Sight {
  now: number
  /** Minute of the hub's day of a moment. */
  minuteOf: (at: number) => number
  /** Whether the order's home lies in an area. */
  within: (order: DayOrder, area: string) => boolean
  conflicts: ReadonlyMap<string, unknown>
}

export function passes(order: DayOrder, filter: Filter, sight: Sight): boolean {
  if (filter.kind && order.kind !== filter.kind) return false
  if (filter.provider && (order.provider_id ?? '') !== filter.provider) return false
  if (filter.area && !sight.within(order, filter.area)) return false
  if (filter.from !== null || filter.to !== null) {
    const minute = sight.minuteOf(startOf(order))
    if (filter.from !== null && minute < filter.from) return false
    if (filter.to !== null && minute >= filter.to) return false
  }
  if (filter.only.has('late') && !latenessOf(order, sight.now)) return false
  if (filter.only.has('vacant') && missingCarers(order) === 0) return false
  if (filter.only.has('conflict') && !sight.conflicts.has(order.visit?.id ?? '')) return false
  const wanted = filter.text.trim().toLowerCase()
  if (!wanted) return true
  const said = [order.resident?.name, order.resident?.address, `#${order.number}`, ...goers(order).map((one) => one.responder.name)]
  return said.some((one) => one?.toLowerCase().includes(wanted))
}

export function isFiltered(filter: Filter): boolean {
  return !!(filter.kind || filter.provider || filter.area || filter.text.trim() || filter.only.size) || filter.from !== null || filter.to !== null
}

export type Board = Record<Stage, DayOrder[]>

/** By time and then by number: a minute that passes moves no card. */
export function byStart(a: DayOrder, b: DayOrder): number {
  return startOf(a) - startOf(b) || a.number - b.number
}

export function boardOf(orders: Iterable<DayOrder>, filter: Filter, sight: Sight): Board {
  const board: Board = { vacant: [], offered: [], accepted: [], under_way: [], in_service: [], follow_up: [], trouble: [], done: [] }
  for (const order of orders) if (passes(order, filter, sight)) board[stageOf(order)].push(order)
  for (const list of Object.values(board)) list.sort(byStart)
  return board
}

export type Places = Record<Stage, readonly string[]>
export function placesOf(board: Board): Places {
  return Object.fromEntries(Object.entries(board).map(([stage, list]) => [stage, list.map((one) => one.id)])) as unknown as Places
}

/** What has changed, at the places everything had: nothing moves under the pointer. `pending`: how many cards would move, come or go. */
export function keepPlaces(places: Places, board: Board): { board: Board; pending: number } {
  const now = new Map<string, DayOrder>()
  const stage = new Map<string, string>()
  for (const [name, list] of Object.entries(board)) for (const one of list) (now.set(one.id, one), stage.set(one.id, name))
  let pending = 0
  const kept = Object.fromEntries(
    Object.entries(places).map(([name, ids]) => [
      name,
      ids.flatMap((id) => {
        if (stage.get(id) !== name) pending++
        const one = now.get(id)
        now.delete(id)
        return one ? [one] : []
      }),
    ]),
  ) as unknown as Board
  return { board: kept, pending: pending + now.size }
}

/** The next one somebody has to do something about, after `current`: vacant or late, column by column; round and round. */
export function nextToDo(board: Board, current: string | null, now: number): DayOrder | null {
  const all = COLUMNS.flatMap((column) => board[column])
  const wants = all.filter((one) => missingCarers(one) > 0 || latenessOf(one, now) !== null)
  if (!wants.length) return null
  const at = all.findIndex((one) => one.id === current)
  return wants.find((one) => all.indexOf(one) > at) ?? wants[0]!
}

/** The neighbour of a card: up and down within its column, left and right to the card at the same height of the next column that has any. */
export function neighbour(board: Board, columns: readonly Stage[], current: string | null, step: 'up' | 'down' | 'left' | 'right'): DayOrder | null {
  let column = columns.findIndex((name) => board[name].some((one) => one.id === current))
  if (column < 0) return columns.map((name) => board[name][0]).find((one) => one !== undefined) ?? null
  const row = board[columns[column]!].findIndex((one) => one.id === current)
  if (step === 'up' || step === 'down') return board[columns[column]!][row + (step === 'up' ? -1 : 1)] ?? board[columns[column]!][row]!
  const by = step === 'left' ? -1 : 1
  for (column += by; column >= 0 && column < columns.length; column += by) {
    const list = board[columns[column]!]
    if (list.length) return list[Math.min(row, list.length - 1)]!
  }
  return null
}

/** Where a card may be dropped: to somebody (a dialog asks whom), nowhere else. The rest of the columns are what people report. */
export function mayDrop(order: DayOrder, onto: Stage): boolean {
  return onto === 'offered' && missingCarers(order) > 0
}

type Ring = readonly (readonly [number, number])[]
/** Even-odd rule on GeoJSON's `[lon, lat]`. */
function inRing(lat: number, lon: number, ring: Ring): boolean {
  let inside = false
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
    const [x, y] = ring[i]!
    const [px, py] = ring[j]!
    if (y > lat !== py > lat && lon < ((px - x) * (lat - y)) / (py - y) + x) inside = !inside
  }
  return inside
}

/** Whether a point lies in a GeoJSON Polygon or MultiPolygon; holes count as outside. */
export function inBoundary(lat: number, lon: number, boundary: { type: string; coordinates: unknown } | null): boolean {
  if (!boundary) return false
  const polygons = boundary.type === 'Polygon' ? [boundary.coordinates as Ring[]] : boundary.type === 'MultiPolygon' ? (boundary.coordinates as Ring[][]) : []
  return polygons.some(([outer, ...holes]) => outer !== undefined && inRing(lat, lon, outer) && !holes.some((hole) => inRing(lat, lon, hole)))
}

/** Minutes from one home to another as the planner reckons where there is no road network: 15 km/h, streets a third longer than the crow flies. */
export function travelMinutes(a: { lat: number | null; lon: number | null } | null, b: { lat: number | null; lon: number | null } | null): number | null {
  if (!a || !b || a.lat === null || a.lon === null || b.lat === null || b.lon === null) return null
  return (metresBetween([a.lat, a.lon], [b.lat, b.lon]) * 1.3) / 250
}
