/** Meals as the hub tells them. */
export type Meal = 'breakfast' | 'lunch' | 'dinner'
export const MEALS: readonly Meal[] = ['breakfast', 'lunch', 'dinner']

export interface Counts {
  ordered: number
  delivery: number
  dine_in: number
  handed_over: number
  left_with: number
  no_answer: number
  served: number
  problems: number
  late: number
  untoured: number
}

export interface Point {
  station_id: string
  name: string
  kept: boolean
  delivers: boolean
  serves: boolean
  hot_min: number
  carries: number
  hours: Partial<Record<Meal, Hours | null>>
  offered: boolean
  cutoff_at: string | null
  closed: boolean
  begins_at: string | null
  ends_at: string | null
  capacity: number | null
  counts: Counts
  dishes: { dish_id: string | null; dish: string | null; count: number }[]
  diets: { diet: string; count: number }[]
  round: { id: string; state: Round['state'] } | null
  menu: boolean
  version: number
}

export interface Hours {
  cutoff_min: number
  from_min: number
  to_min: number
  capacity: number
}

export interface Day {
  day: string
  meal: Meal
  server_time: string
  items: Point[]
  totals: Partial<Counts>
}

export interface MealRow {
  order_id: string
  number: number
  visit_id: string
  state: string
  note: string | null
  station_id: string | null
  mode: 'delivery' | 'dine_in'
  dish_id: string | null
  dish: string | null
  diets: string[]
  allergies: string[]
  problem: string | null
  overridden: { by: string; reason: string } | null
  stop: number | null
  due_at: string | null
  done_at: string | null
  result: 'handed_over' | 'left_with' | 'no_answer' | 'served' | null
  left_with: string | null
  minutes: number | null
  late: boolean
  incident_id: string | null
  incident?: { id: string; number: number; state: string; priority: 'critical' | 'high' | 'medium' | 'low'; reasons: { code: string; text: string }[] } | null
  courier: { id: string; name: string } | null
  resident: { id: string; name: string; age: number | null; address: string | null }
}

export interface Refusal {
  id: string
  at: string
  station: string | null
  resident: { id: string; name: string }
  meal: Meal
  code: string
  by: string
}

export interface Trip {
  id: string
  number: number
  leave_at: string
  left_at: string | null
  hot_min: number
  courier: { id: string; name: string; phone: string | null }
  stops: (Pick<MealRow, 'order_id' | 'dish' | 'diets' | 'allergies' | 'note' | 'due_at' | 'result' | 'minutes' | 'late'> & { stop: number; resident: MealRow['resident'] & { phone: string | null; door: Record<string, unknown> } })[]
}

export interface Round {
  id: string
  state: 'queued' | 'running' | 'ready' | 'published' | 'failed' | 'superseded'
  error: string | null
  answer: {
    way_min: number
    baseline_min: number
    baseline_left: number
    trips: { courier_id: string; number: number; leave_at: string; stops: { order_id: string; at: string; minutes: number }[] }[]
    unplanned: { order_id: string; code: string; reason: string; reason_zh: string }[]
  } | null
  trips: Trip[]
}

export interface Dish {
  id: string
  dish_id?: string
  name: string
  name_en: string | null
  allergens: string[]
  diets: string[]
  price_fen: number | null
  active: boolean
  portions?: number | null
}

export interface Menu {
  day: string
  meal: Meal
  dishes: Dish[]
}

export interface AtDesk {
  resident: { id: string; name: string; age: number | null; address: string | null; status: string; diets: string[]; allergies: string[] }
  card: string | null
  orders: { order_id: string; state: string; mode: 'delivery' | 'dine_in'; dish: string | null; problem: string | null }[]
  served: { at: string; mode: string; station: string | null; by: string } | null
}

/** `540` as `09:00`; of the evening before with its sign: `-1 18:00`. */
export function clockOf(minute: number): string {
  const day = Math.floor(minute / 1440)
  const rest = minute - day * 1440
  const text = `${String(Math.floor(rest / 60)).padStart(2, '0')}:${String(rest % 60).padStart(2, '0')}`
  return day === 0 ? text : `${day} ${text}`
}
