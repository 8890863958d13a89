/** The geometry of a day: times to pixels and back, rows in sight, and where something dragged comes to lie. Pure. */
import type { Bar, Carer, Shift } from './conflicts.ts'
import { goers, type DayOrder, type DayRoute } from './types.ts'

const MINUTE = 60_000
export const GRID_MIN = 15

export interface Scale {
  /** The first and the last moment drawn. */
  from: number
  to: number
  pxPerMin: number
}

/** Whole hours around all that is there, at least 07:00 to 19:00 of the day; `dayStart` is its midnight. */
export function scaleOf(dayStart: number, moments: Iterable<number>, pxPerMin: number): Scale {
  let low = dayStart + 7 * 60 * MINUTE
  let high = dayStart + 19 * 60 * MINUTE
  const most = dayStart + 36 * 60 * MINUTE
  for (const at of moments) {
    if (Number.isNaN(at)) continue
    if (at < low) low = at
    if (at > high) high = at
  }
  const hour = 60 * MINUTE
  return { from: Math.max(dayStart - 6 * hour, Math.floor(low / hour) * hour), to: Math.min(most, Math.ceil(high / hour) * hour), pxPerMin }
}

export const xOf = (scale: Scale, at: number) => ((at - scale.from) / MINUTE) * scale.pxPerMin
export const widthOf = (scale: Scale) => xOf(scale, scale.to)
export const timeAt = (scale: Scale, x: number) => scale.from + (x / scale.pxPerMin) * MINUTE

/** To the grid, counted from the scale's first moment, which is a whole hour. */
export function snap(scale: Scale, at: number, gridMin = GRID_MIN): number {
  const step = gridMin * MINUTE
  return scale.from + Math.round((at - scale.from) / step) * step
}

export function hoursOf(scale: Scale): number[] {
  const found: number[] = []
  for (let at = scale.from; at <= scale.to; at += 60 * MINUTE) found.push(at)
  return found
}

/** Rows in sight of a box that is scrolled, some more on both sides. */
export function rowsInSight(top: number, height: number, rowHeight: number, count: number, extra = 4): [number, number] {
  return [Math.max(0, Math.floor(top / rowHeight) - extra), Math.min(count, Math.ceil((top + height) / rowHeight) + extra)]
}

export interface Row {
  carer: Carer
  bars: Bar[]
  route: DayRoute | null
  /** Minutes of service and of travel. */
  busy: number
  travel: number
}

export interface DaySource {
  orders: Iterable<DayOrder>
  routes: readonly DayRoute[]
  carers: readonly Carer[]
  /** The routes are a proposal: who goes today does not count where they say something else. */
  proposal?: boolean
}

const length = (order: DayOrder) => (order.duration_min ?? 30) * MINUTE

/**
 * Who does what: the route's stops where there are routes, the assignments otherwise. A visit that began shows its real times.
 * A carer nobody knows (no longer on the list) still has a row: what is planned must not vanish.
 */
export function rowsOf(source: DaySource): { rows: Row[]; unplanned: DayOrder[] } {
  const rows = new Map<string, Row>()
  const row = (id: string, name: string): Row => {
    let found = rows.get(id)
    if (!found) rows.set(id, (found = { carer: { id, name, kind: '', skills: null, shifts: [], breaks: [], absent: [] }, bars: [], route: null, busy: 0, travel: 0 }))
    return found
  }
  for (const carer of source.carers) rows.set(carer.id, { carer, bars: [], route: null, busy: 0, travel: 0 })
  const stops = new Map<string, { route: DayRoute; index: number }[]>()
  for (const route of source.routes) {
    const own = row(route.responder_id, route.responder.name)
    own.route = route
    own.travel = route.travel_min
    if (route.breaks.length) own.carer = { ...own.carer, breaks: route.breaks.map((one) => ({ start: Date.parse(one.start), end: Date.parse(one.end) })) }
    route.stops.forEach((stop, index) => stops.set(stop.visit_id, [...(stops.get(stop.visit_id) ?? []), { route, index }]))
  }
  const unplanned: DayOrder[] = []
  for (const order of source.orders) {
    const visit = order.visit
    if (!visit || order.state === 'cancelled') continue
    const promised = !!visit.promised_from || !!visit.promised_to
    const begun = visit.started_at ? Date.parse(visit.started_at) : null
    const people = new Map(goers(order).map((one) => [one.responder.id, one.responder.name]))
    // What was given by hand after the plan stands; what a proposal says of it stands in the proposal.
    const placed = (stops.get(visit.id) ?? []).filter((one) => source.proposal || !people.size || people.has(one.route.responder_id))
    if (source.proposal && placed.length) people.clear()
    for (const { route, index } of placed) {
      const stop = route.stops[index]!
      const earlier = route.stops[index - 1]
      const start = begun ?? Date.parse(stop.start_at)
      row(route.responder_id, route.responder.name).bars.push({
        key: `${visit.id} ${route.responder_id}`,
        order,
        visitId: visit.id,
        responderId: route.responder_id,
        start,
        end: visit.ended_at ? Math.max(start, Date.parse(visit.ended_at)) : begun !== null ? begun + length(order) : Date.parse(stop.leave_at),
        travelFrom: begun !== null ? null : earlier ? Date.parse(earlier.leave_at) : route.leave_at ? Date.parse(route.leave_at) : null,
        arrive: begun !== null ? null : Date.parse(stop.arrive_at),
        frozen: (stop.frozen !== null && stop.frozen !== 'promised') || begun !== null,
        promised: promised || stop.frozen === 'promised',
      })
    }
    const routed = new Set(placed.map((one) => one.route.responder_id))
    for (const [id, name] of people) {
      if (routed.has(id)) continue
      // Given by hand after the plan, or without one.
      const start = begun ?? Date.parse(visit.planned_start ?? order.wanted_from)
      const end = visit.ended_at ? Math.max(start, Date.parse(visit.ended_at)) : Math.max(start + 5 * MINUTE, begun === null && visit.planned_end ? Date.parse(visit.planned_end) : start + length(order))
      row(id, name).bars.push({ key: `${visit.id} ${id}`, order, visitId: visit.id, responderId: id, start, end, travelFrom: null, arrive: null, frozen: begun !== null || visit.pinned === true, promised })
    }
    if (!people.size && !placed.length && (order.state === 'requested' || order.state === 'assigned')) unplanned.push(order)
  }
  for (const one of rows.values()) {
    one.bars.sort((a, b) => a.start - b.start || a.key.localeCompare(b.key))
    one.busy = Math.round(one.bars.reduce((sum, bar) => sum + bar.end - bar.start, 0) / MINUTE)
  }
  unplanned.sort((a, b) => Date.parse(a.wanted_from) - Date.parse(b.wanted_from) || a.number - b.number)
  const sorted = [...rows.values()].sort((a, b) => Number(b.bars.length > 0) - Number(a.bars.length > 0) || NAMES.compare(a.carer.name, b.carer.name) || a.carer.id.localeCompare(b.carer.id))
  return { rows: sorted, unplanned }
}

const NAMES = new Intl.Collator('zh', { numeric: true })

/** Bars that overlap lie one under the other: the lane of each, and how many lanes its knot of overlaps has. The rest keeps its full height. */
export function lanesOf(bars: readonly Bar[]): { lane: number[]; lanes: number[] } {
  const lane: number[] = []
  const lanes: number[] = []
  let ends: number[] = []
  let from = 0
  bars.forEach((bar, index) => {
    if (ends.every((end) => end <= bar.start)) {
      lanes.fill(ends.length, from, index)
      from = index
      ends = []
    }
    let at = ends.findIndex((end) => end <= bar.start)
    if (at < 0) at = ends.length
    ends[at] = bar.end
    lane.push(at)
    lanes.push(1)
  })
  lanes.fill(Math.max(1, ends.length), from)
  return { lane, lanes }
}

/** The bar nearest in time to a moment. */
export function nearestBar(row: Row, at: number): Bar | null {
  let best: Bar | null = null
  for (const bar of row.bars) {
    const away = Math.abs((bar.start + bar.end) / 2 - at)
    if (!best || away < Math.abs((best.start + best.end) / 2 - at)) best = bar
  }
  return best
}

/** The focus after an arrow key: along the row, or to the nearest in time of the next row that has any. */
export function stepFocus(rows: readonly Row[], rowAt: number, key: string | null, step: 'left' | 'right' | 'up' | 'down'): { row: number; key: string | null } {
  const row = rows[rowAt]
  if (!row) return { row: 0, key: rows[0]?.bars[0]?.key ?? null }
  const at = row.bars.findIndex((one) => one.key === key)
  if (step === 'left' || step === 'right') {
    const next = row.bars[Math.min(row.bars.length - 1, Math.max(0, at < 0 ? 0 : at + (step === 'left' ? -1 : 1)))]
    return { row: rowAt, key: next?.key ?? null }
  }
  const by = step === 'up' ? -1 : 1
  const to = rowAt + by
  if (to < 0 || to >= rows.length) return { row: rowAt, key }
  const current = at < 0 ? null : row.bars[at]!
  const near = current ? nearestBar(rows[to]!, (current.start + current.end) / 2) : (rows[to]!.bars[0] ?? null)
  return { row: to, key: near?.key ?? null }
}

export interface Target {
  row: number
  start: number
}

/** A step of what is picked up: a quarter of an hour, or one carer; never off the day. */
export function stepTarget(target: Target, step: 'left' | 'right' | 'up' | 'down', scale: Scale, rowCount: number, lengthMs: number): Target {
  const by = GRID_MIN * MINUTE
  if (step === 'up') return { ...target, row: Math.max(0, target.row - 1) }
  if (step === 'down') return { ...target, row: Math.min(rowCount - 1, target.row + 1) }
  // From off the grid the first press goes to the grid's next line, not over it.
  const lines = (target.start - scale.from) / by
  const moved = scale.from + (step === 'left' ? Math.ceil(lines) - 1 : Math.floor(lines) + 1) * by
  return { ...target, start: Math.min(scale.to - lengthMs, Math.max(scale.from, moved)) }
}

/** Where what is dragged comes to lie: `x` and `y` of the pointer in the drawing, `grabX` from the bar's left edge. */
export function dropTarget(scale: Scale, rowHeight: number, rowCount: number, x: number, y: number, grabX: number, lengthMs: number): Target | null {
  const row = Math.floor(y / rowHeight)
  if (row < 0 || row >= rowCount) return null
  const start = snap(scale, timeAt(scale, x - grabX))
  return { row, start: Math.min(scale.to - lengthMs, Math.max(scale.from, start)) }
}

/** Shifts of a day from `from` to `to`, cut to it. */
export function shiftsOn(shifts: readonly { starts_at: string; ends_at: string }[], from: number, to: number): Shift[] {
  return shifts
    .map((one) => ({ start: Math.max(from, Date.parse(one.starts_at)), end: Math.min(to, Date.parse(one.ends_at)) }))
    .filter((one) => one.end > one.start)
    .sort((a, b) => a.start - b.start)
}
