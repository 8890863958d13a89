/** A proposal beside what it replaces: the figures, and who has to be told. Pure. */
import type { PlanBrief, PlanChange } from './types.ts'

/** What is read, in this order: minutes and counts. The weighed parts behind them say the same again. */
export const COST_PARTS = ['travel_min', 'late_min', 'worst_late_min', 'waiting_min', 'overtime_min', 'preferences', 'planned_visits', 'unplanned_visits'] as const
/** The sums of two plans beside one another. */
export const SUMS = ['planned', 'unplanned', 'travel_min', 'late_visits', 'late_min', 'continuity', 'carers', 'service_min'] as const
const MORE_IS_BETTER: ReadonlySet<string> = new Set(['planned_visits', 'planned', 'continuity'])
/** Neither way is better by itself. */
const NEITHER: ReadonlySet<string> = new Set(['carers', 'service_min'])

export interface Line {
  part: string
  before: number | null
  after: number
  /** after - before; null where there is nothing to compare with. */
  change: number | null
  /** null: the same. */
  better: boolean | null
}

export function linesOf(before: object | null | undefined, after: object | null | undefined, parts: readonly string[] = COST_PARTS): Line[] {
  const number = (of: object | null | undefined, part: string) => {
    const found = (of as Record<string, unknown> | null | undefined)?.[part]
    return typeof found === 'number' ? found : null
  }
  return parts.flatMap((part) => {
    const was = number(before, part)
    const now = number(after, part)
    const least = part === 'continuity' ? 0.001 : 0.05
    if (now === null || (Math.abs(now) < least && Math.abs(was ?? 0) < least)) return []
    const change = was === null ? null : now - was
    const better = change === null || NEITHER.has(part) || Math.abs(change) < least ? null : change < 0 !== MORE_IS_BETTER.has(part)
    return [{ part, before: was, after: now, change, better }]
  })
}

/** What the search is worth against sending the nearest: visits more that are done, else the share of the cost saved. */
export function gainOf(baseline: object, cost: object): { visits: number } | { percent: number } | null {
  const [was, now] = [baseline, cost] as Record<string, number | undefined>[]
  const visits = (was!.unplanned_visits ?? 0) - (now!.unplanned_visits ?? 0)
  if (visits > 0) return { visits }
  if (!was!.total || now!.total === undefined || visits < 0) return null
  const percent = Math.round((1 - now!.total / was!.total) * 100)
  return percent > 0 ? { percent } : null
}

export interface Told {
  residents: Set<string>
  contacts: Set<string>
  responders: Set<string>
}

/** Who hears of it: people, each counted once, however many of their visits change. */
export function toldBy(changes: readonly PlanChange[]): Told {
  const told: Told = { residents: new Set(), contacts: new Set(), responders: new Set() }
  for (const one of changes) {
    if (one.tell.includes('resident')) told.residents.add(one.resident.id)
    if (one.tell.includes('contact')) told.contacts.add(one.resident.id)
    if (one.tell.includes('responder')) for (const id of [...(one.was?.responder_ids ?? []), ...(one.now?.responder_ids ?? [])]) told.responders.add(id)
  }
  return told
}

export type ChangeKind = 'added' | 'dropped' | 'carer' | 'time' | 'both'
export function changeKind(change: PlanChange): ChangeKind {
  if (!change.was) return 'added'
  if (!change.now) return 'dropped'
  const carer = [...change.was.responder_ids].sort().join() !== [...change.now.responder_ids].sort().join()
  const time = Date.parse(change.was.start) !== Date.parse(change.now.start)
  return carer && time ? 'both' : carer ? 'carer' : 'time'
}

/** What hurts first: dropped, then another carer, then another time; the earlier before the later. */
export function sortedChanges(changes: readonly PlanChange[]): PlanChange[] {
  const rank: Record<ChangeKind, number> = { dropped: 0, both: 1, carer: 2, time: 3, added: 4 }
  const start = (one: PlanChange) => Date.parse((one.now ?? one.was)?.start ?? '') || 0
  return [...changes].sort((a, b) => rank[changeKind(a)] - rank[changeKind(b)] || start(a) - start(b))
}

/** The plan that is in force on a day: the one published last. */
export function inForce(plans: readonly PlanBrief[]): PlanBrief | null {
  return plans.filter((one) => one.state === 'published').sort((a, b) => (b.published_at ?? '').localeCompare(a.published_at ?? ''))[0] ?? null
}

export interface CostPoint {
  seconds: number
  cost: number
}
/** The falling cost as it was heard; a hub that starts again with a new search begins a new line. */
export function addPoint(points: readonly CostPoint[], seconds: number, cost: number | null): CostPoint[] {
  if (cost === null || !Number.isFinite(cost)) return [...points]
  const kept = points.length && points.at(-1)!.seconds > seconds ? [] : [...points]
  if (kept.at(-1)?.seconds === seconds) kept.pop()
  kept.push({ seconds, cost })
  return kept.slice(-600)
}

/** The path of that line in a box. The first figures of a search are huge and would flatten the rest: the scale leaves out the highest tenth. */
export function costPath(points: readonly CostPoint[], width: number, height: number): string {
  if (points.length < 2) return ''
  const last = points.at(-1)!.seconds || 1
  const sorted = points.map((one) => one.cost).sort((a, b) => a - b)
  const low = sorted[0]!
  const high = Math.max(low + 1e-9, sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.9))]!)
  return points
    .map((one, index) => {
      const x = (one.seconds / last) * width
      const y = height - (Math.min(1, (one.cost - low) / (high - low)) * (height - 4) + 2)
      return `${index ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`
    })
    .join('')
}
