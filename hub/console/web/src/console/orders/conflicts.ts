/** What does not fit in a day, and what would not fit after a move. Pure; judged here so that it is seen before anything is sent. */
import { goers, type DayOrder } from './types.ts'
import { travelMinutes } from './stage.ts'

const MINUTE = 60_000

/** One carer at one visit. */
export interface Bar {
  /** Visit and carer: a visit of two carers has two bars. */
  key: string
  order: DayOrder
  visitId: string
  responderId: string
  start: number
  end: number
  /** On the way since; null: not known. */
  travelFrom: number | null
  /** There at; what is between this and the start is waiting. */
  arrive: number | null
  frozen: boolean
  promised: boolean
}

export type ConflictCode = 'overlap' | 'travel' | 'off_shift' | 'break' | 'early' | 'late' | 'twice' | 'skill' | 'absent' | 'past'
export interface Conflict {
  code: ConflictCode
  /** Minutes by which it does not fit. */
  minutes: number
  /** The other visit it is about. */
  with?: string
  /** A hard rule; the hub would refuse it or it cannot be done. */
  hard: boolean
}

export interface Shift {
  start: number
  end: number
}
export interface Carer {
  id: string
  name: string
  kind: string
  skills: ReadonlySet<string> | null
  shifts: readonly Shift[]
  breaks: readonly Shift[]
  /** Ill or away. */
  absent: readonly Shift[]
}

/** The skills a kind of service asks for: all of these, and one of those. */
export interface Wanted {
  all: readonly string[]
  any: readonly string[]
}
const NOTHING: Wanted = { all: [], any: [] }
const has = (skills: ReadonlySet<string>, wants: Wanted) => wants.all.every((one) => skills.has(one)) && (!wants.any.length || wants.any.some((one) => skills.has(one)))

const minutes = (ms: number) => Math.max(1, Math.round(ms / MINUTE))
const overlap = (a: Shift, b: Shift) => Math.min(a.end, b.end) - Math.max(a.start, b.start)
/** A quarter of an hour's rounding is no conflict of travel. */
const SLACK_MIN = 3

/** Marks of one bar among the others of its carer. */
export function judge(bar: Bar, others: readonly Bar[], carer: Carer | null, wants: Wanted = NOTHING): Conflict[] {
  const found: Conflict[] = []
  for (const other of others) {
    if (other.key === bar.key || other.visitId === bar.visitId) continue
    const both = overlap(bar, other)
    if (both > 0) found.push({ code: 'overlap', minutes: minutes(both), with: other.visitId, hard: true })
  }
  const sorted = others.filter((one) => one.visitId !== bar.visitId)
  const before = sorted.filter((one) => one.end <= bar.start).sort((a, b) => b.end - a.end)[0]
  const after = sorted.filter((one) => one.start >= bar.end).sort((a, b) => a.start - b.start)[0]
  for (const [first, second, other] of [
    [before, bar, before],
    [bar, after, after],
  ] as const) {
    if (!first || !second || !other) continue
    const way = travelMinutes(first.order.resident, second.order.resident)
    const short = way === null ? 0 : way - (second.start - first.end) / MINUTE
    if (short > SLACK_MIN) found.push({ code: 'travel', minutes: Math.round(short), with: other.visitId, hard: false })
  }
  if (carer) {
    if (carer.shifts.length) {
      const inside = carer.shifts.reduce((sum, one) => sum + Math.max(0, overlap(bar, one)), 0)
      if (bar.end - bar.start - inside >= MINUTE) found.push({ code: 'off_shift', minutes: minutes(bar.end - bar.start - inside), hard: false })
    }
    for (const one of carer.breaks) if (overlap(bar, one) > 0) found.push({ code: 'break', minutes: minutes(overlap(bar, one)), hard: false })
    for (const one of carer.absent) if (overlap(bar, one) > 0) found.push({ code: 'absent', minutes: minutes(overlap(bar, one)), hard: true })
    if (carer.skills && !has(carer.skills, wants)) found.push({ code: 'skill', minutes: 0, hard: true })
  }
  const { wanted_from, wanted_to, visit } = bar.order
  const earliest = Date.parse(visit?.promised_from ?? wanted_from)
  const latest = Date.parse(visit?.promised_to ?? wanted_to ?? '')
  if (bar.start < earliest) found.push({ code: 'early', minutes: minutes(earliest - bar.start), hard: false })
  if (bar.start > latest) found.push({ code: 'late', minutes: minutes(bar.start - latest), hard: false })
  return found
}

/** All marks of a day, by visit: per carer, and a resident who would have two visits of different orders at once. */
export function conflictsOf(rows: ReadonlyMap<string, readonly Bar[]>, carers: ReadonlyMap<string, Carer>): Map<string, Conflict[]> {
  const marks = new Map<string, Conflict[]>()
  const add = (visitId: string, list: readonly Conflict[]) => {
    if (list.length) marks.set(visitId, [...(marks.get(visitId) ?? []), ...list])
  }
  const homes = new Map<string, Bar[]>()
  for (const [id, bars] of rows) {
    for (const bar of bars) {
      if (isOver(bar.order)) continue
      // What a plan lays into the window's end is the plan's business; a mark is for what cannot be done as it stands.
      add(bar.visitId, judge(bar, bars.filter((one) => !isOver(one.order)), carers.get(id) ?? null).filter((one) => one.code !== 'late' && one.code !== 'early'))
      const home = bar.order.resident?.id
      if (home) homes.set(home, [...(homes.get(home) ?? []), bar])
    }
  }
  for (const bars of homes.values()) {
    bars.sort((a, b) => a.start - b.start)
    bars.forEach((bar, index) => {
      for (const other of bars.slice(index + 1)) {
        if (other.start >= bar.end) break
        if (other.order.id === bar.order.id) continue
        const both = { code: 'twice', minutes: minutes(overlap(bar, other)), hard: false } as const
        add(bar.visitId, [{ ...both, with: other.visitId }])
        add(other.visitId, [{ ...both, with: bar.visitId }])
      }
    })
  }
  return marks
}

export function isOver(order: DayOrder): boolean {
  return ['completed', 'cancelled', 'missed', 'aborted'].includes(order.state)
}

/** A visit that has begun cannot be moved; neither can one that is over, or whose carer is on the way. */
export function isFixed(order: DayOrder): boolean {
  return isOver(order) || order.state === 'in_service' || goers(order).some((one) => one.state === 'en_route' || one.state === 'on_scene')
}
