/** A courier's tasks as rounds: pure, so that it can be tried without a phone. */
import type { Order, Task } from '../core/types.ts'
import type { Queued } from './outbox.ts'

export interface MealStop {
  trip_id: string
  meal: 'breakfast' | 'lunch' | 'dinner'
  number: number
  stop: number
  of: number
  leave_at: string
  left_at: string | null
  hot_min: number
  station: { id: string; name: string }
  dish: string | null
  diets: string[]
  allergies: string[]
  due_at: string | null
  door: Record<string, unknown>
}

export interface MealTask extends Task {
  order: Order & { visit: NonNullable<Order['visit']>; resident: NonNullable<Order['resident']> }
  meal: MealStop
}

export interface Round {
  id: string
  first: MealTask
  /** Doors still to go to, in order. */
  stops: MealTask[]
  /** When the kitchen was left, also where the phone has said so and the hub has not heard it yet. */
  leftAt: string | null
}

/** Trips with something left to bring; what was tapped and waits for a signal counts as brought. */
export function roundsOf(tasks: readonly Task[], queued: readonly Queued[]): Round[] {
  const tapped = new Set(queued.filter((one) => one.refused === null && one.path.endsWith('/meal')).map((one) => one.assignment))
  const found = new Map<string, Round>()
  for (const task of tasks as readonly MealTask[]) {
    if (!task.meal || !task.order || task.next === null || tapped.has(task.assignment.id)) continue
    const id = task.meal.trip_id
    const said = queued.find((one) => one.refused === null && one.path === `/meals/trips/${id}/leave`)
    const round = found.get(id) ?? { id, first: task, stops: [], leftAt: task.meal.left_at ?? (said ? String(said.body.at) : null) }
    round.stops.push(task)
    found.set(id, round)
  }
  for (const round of found.values()) {
    round.stops.sort((a, b) => a.meal.stop - b.meal.stop)
    round.first = round.stops[0]!
  }
  return [...found.values()].sort((a, b) => a.first.meal.leave_at.localeCompare(b.first.meal.leave_at))
}

/** Minutes until the meals are no longer hot; negative: for so long they have not been. Null: still in the kitchen. */
export function hotLeft(leftAt: string | null, hotMin: number, now: number): number | null {
  if (leftAt === null) return null
  const left = (Date.parse(leftAt) + hotMin * 60_000 - now) / 60_000
  return left >= 0 ? Math.floor(left) : Math.min(-1, Math.ceil(left))
}
