/** One day of orders, routes, people and plans, for the four parts of the page: fetched once, kept true by the stream. */
import { computed, onBeforeUnmount, ref, shallowRef, watch } from 'vue'
import { clockKnown, dayOf, parts, serverNow, shortTime, tick } from '../../core/clock.ts'
import { Problem, get, getAll, query } from '../../core/http.ts'
import { fromLocalInput } from '../../core/local-input.ts'
import type { Area, Responder } from '../../core/types.ts'
import { explain } from '../actions.ts'
import { search } from '../filters.ts'
import type { Board as Rota } from '../rota/types.ts'
import { addDays } from '../rota/week.ts'
import { asked } from '../route.ts'
import { areas, linkState, onOrders, responders, serviceKinds } from '../store.ts'
import { inForce } from './compare.ts'
import { conflictsOf, type Carer, type Wanted } from './conflicts.ts'
import { rowsOf, shiftsOn } from './gantt.ts'
import { NO_FILTER, boardOf, inBoundary, isFiltered, stageOf, type Filter, type Sight } from './stage.ts'
import type { DayOrder, DayRoute, PlanBrief } from './types.ts'

const MINUTE = 60_000
/** A district's whole day is 3,000; what is over this is said, not silently left out. */
const MOST = 10_000

export const today = computed(() => dayOf(clockKnown.value ? tick.value : serverNow()))
const chosen = ref<string | null>(null)
/** The day shown; null chosen: today, also after midnight. */
export const day = computed(() => chosen.value ?? today.value)
export function setDay(next: string): void {
  if (/^\d{4}-\d\d-\d\d$/.test(next)) chosen.value = next === today.value ? null : next
}

export const dayStart = computed(() => Date.parse(fromLocalInput(`${day.value}T00:00`) ?? `${day.value}T00:00:00+08:00`))
export const dayEnd = computed(() => Date.parse(fromLocalInput(`${addDays(day.value, 1)}T00:00`) ?? `${day.value}T24:00:00+08:00`))
/** `14:02` on the day shown, with its date on another. */
export const timeOf = (at: string | number | null | undefined) => shortTime(at, dayStart.value)
export function spanOf(from: string | number, to: string | number | null | undefined): string {
  const [begin, end] = [timeOf(from), timeOf(to)]
  // The date is said once where both ends are of one day.
  return end ? `${begin}–${begin.slice(0, -5) === end.slice(0, -5) ? end.slice(-5) : end}` : begin
}
export const minuteOf = (at: number) => ((p) => Number(p.hour) * 60 + Number(p.minute))(parts(at))

const byId = new Map<string, DayOrder>()
const revision = shallowRef(0)
export const state = ref<'loading' | 'loaded' | 'failed'>('loading')
export const problem = ref('')
/** More orders than are fetched. */
export const cut = ref(false)
export const routes = shallowRef<DayRoute[]>([])
export const plans = shallowRef<PlanBrief[]>([])
export const rota = shallowRef<Rota | null>(null)
/** What could not be fetched beside the orders: the page stands without it, and says so. */
export const besides = ref('')

export const orders = computed<readonly DayOrder[]>(() => (revision.value, [...byId.values()]))
export const orderById = (id: string | null | undefined) => (revision.value, id ? byId.get(id) : undefined)
export const orderOfVisit = computed(() => new Map(orders.value.flatMap((one) => (one.visit ? [[one.visit.id, one] as const] : []))))

export function takeOrder(order: DayOrder): void {
  takeOrders([order])
}

/** Of this day, or known already; an older version than the one shown changes nothing. */
function takeOrders(list: readonly DayOrder[]): void {
  let changed = false
  for (const order of list) {
    const known = byId.get(order.id)
    if (known ? known.version > order.version : dayOf(order.wanted_from) !== day.value) continue
    if (known && dayOf(order.wanted_from) !== day.value && !isCarriedOver(order)) byId.delete(order.id)
    else byId.set(order.id, order)
    changed = true
  }
  if (changed) revision.value++
}

/** Of yesterday and not over: it must not vanish at midnight. */
export function isCarriedOver(order: DayOrder): boolean {
  return day.value === today.value && dayOf(order.wanted_from) < today.value
}

let run = 0
export async function loadDay(): Promise<void> {
  const mine = ++run
  const date = day.value
  state.value = 'loading'
  problem.value = ''
  try {
    const wanted = [getAll<DayOrder>('/orders', { date }, MOST)]
    if (date === today.value) wanted.push(getAll<DayOrder>('/orders', { date: addDays(date, -1), state: ['requested', 'assigned', 'in_service'] }, MOST))
    const found = await Promise.all(wanted)
    if (mine !== run) return
    byId.clear()
    for (const list of found) for (const order of list.items) byId.set(order.id, order)
    cut.value = found[0]!.items.length >= MOST
    revision.value++
    state.value = 'loaded'
  } catch (error) {
    if (mine !== run) return
    problem.value = explain(error)
    state.value = 'failed'
    return
  }
  await loadBesides()
}

/** Routes, plans and duties: each by itself, for one that fails must not hide the others. */
export async function loadBesides(): Promise<void> {
  const date = day.value
  const [foundRoutes, foundPlans, foundRota] = await Promise.allSettled([
    get<{ items: DayRoute[] }>(`/routes${query({ date })}`, { timeoutMs: 60_000 }),
    get<{ items: PlanBrief[] }>(`/plans${query({ date })}`),
    get<Rota>(`/rota${query({ from: date, days: 1 })}`),
  ])
  if (date !== day.value) return
  routes.value = foundRoutes.status === 'fulfilled' ? foundRoutes.value.items : []
  plans.value = foundPlans.status === 'fulfilled' ? foundPlans.value.items : []
  rota.value = foundRota.status === 'fulfilled' ? foundRota.value : null
  const failed = [foundRoutes, foundPlans, foundRota].find((one) => one.status === 'rejected')
  besides.value = failed?.status === 'rejected' && !(failed.reason instanceof Problem && failed.reason.status === 403) ? explain(failed.reason) : ''
}

export async function loadPlans(): Promise<void> {
  try {
    plans.value = (await get<{ items: PlanBrief[] }>(`/plans${query({ date: day.value })}`)).items
  } catch (error) {
    besides.value = explain(error)
  }
}

/** Under load the stream brings more than the eye follows: at most some redraws a second. */
const EVERY_MS = 300
let waiting: DayOrder[] = []
let timer: ReturnType<typeof setTimeout> | null = null
function takeLater(list: readonly DayOrder[]): void {
  waiting.push(...list)
  timer ??= setTimeout(() => {
    timer = null
    const taken = waiting
    waiting = []
    takeOrders(taken)
  }, byId.size > 500 ? EVERY_MS : 0)
}

let users = 0
let off: (() => void) | null = null
let loadedFor = ''
/** What a part of the page calls: the first one fetches, the last one lets go of the stream. */
export function useDay(): void {
  if (users++ === 0) off = onOrders((list) => takeLater(list as DayOrder[]))
  const stop = [
    watch(
      () => asked.value.get('date'),
      (wanted) => wanted && setDay(wanted),
      { immediate: true },
    ),
    watch(
      day,
      (date) => {
        if (loadedFor !== date) byId.clear()
        loadedFor = date
        routes.value = []
        plans.value = []
        revision.value++
        void loadDay()
      },
      { immediate: true },
    ),
    // After a gap everything may be old.
    watch(linkState, (now, before) => now === 'live' && before !== 'connecting' && void loadDay()),
  ]
  onBeforeUnmount(() => {
    stop.forEach((one) => one())
    if (--users === 0) {
      off?.()
      off = null
    }
  })
}

// ---- people

/** Who has a row of their own; others have one as soon as they have a visit. */
const SERVING = new Set(['carer', 'nurse', 'courier', 'volunteer', 'cook', 'doctor'])

const skillsOf = (one: Responder) => (one.skills ? new Set(one.skills.filter((skill) => !skill.expires_on || skill.expires_on >= day.value).map((skill) => skill.skill)) : null)
/** Everybody who serves, with duties of the day where the rota has them. */
export const carers = computed<Carer[]>(() => {
  const shifts = new Map<string, { starts_at: string; ends_at: string }[]>()
  for (const one of rota.value?.duties ?? []) shifts.set(one.responder.id, [...(shifts.get(one.responder.id) ?? []), one])
  const absent = new Map<string, { starts_at: string; ends_at: string }[]>()
  for (const one of rota.value?.overrides ?? []) if (one.kind === 'absent' && one.responder) absent.set(one.responder.id, [...(absent.get(one.responder.id) ?? []), one])
  return responders.value
    .filter((one) => SERVING.has(one.kind))
    .map((one) => ({
      id: one.id,
      name: one.name,
      kind: one.kind,
      skills: skillsOf(one),
      shifts: shiftsOn(shifts.get(one.id) ?? [], dayStart.value, dayEnd.value),
      breaks: [],
      absent: shiftsOn(absent.get(one.id) ?? [], dayStart.value, dayEnd.value),
    }))
})
const kinds = computed(() => new Map(serviceKinds.value.map((one) => [one.id, one as typeof one & { skills?: string[]; any_skills?: string[] }])))
export function wantedSkills(order: DayOrder): Wanted {
  const kind = kinds.value.get(order.kind)
  return { all: kind?.skills ?? [], any: kind?.any_skills ?? [] }
}

export const laid = computed(() => rowsOf({ orders: orders.value, routes: routes.value, carers: carers.value }))
export const conflicts = computed(() => conflictsOf(new Map(laid.value.rows.map((row) => [row.carer.id, row.bars])), new Map(laid.value.rows.map((row) => [row.carer.id, row.carer]))))
export const standing = computed(() => inForce(plans.value))

// ---- filters, shared by the parts

export const filter = shallowRef<Filter>(NO_FILTER)
export const filtered = computed(() => isFiltered({ ...filter.value, text: search.value }))
export function setFilter(change: Partial<Filter>): void {
  filter.value = { ...filter.value, ...change }
}
export function clearFilter(): void {
  filter.value = NO_FILTER
  search.value = ''
}

const placed = new Map<string, boolean>()
watch(areas, () => placed.clear())
/** By the area it is entered for, else by where the home stands. Remembered: 3,000 homes against a ring of 1,000 corners. */
function within(order: DayOrder, areaId: string): boolean {
  if (order.area_id === areaId) return true
  const home = order.resident
  if (!home || home.lat === null || home.lon === null) return false
  const key = `${home.lat} ${home.lon} ${areaId}`
  let found = placed.get(key)
  if (found === undefined) placed.set(key, (found = inBoundary(home.lat, home.lon, areas.value.find((one: Area) => one.id === areaId)?.boundary ?? null)))
  return found
}

const minute = computed(() => Math.floor(tick.value / MINUTE) * MINUTE)
/** To the minute: nothing on these pages changes faster by itself. */
export const now = minute
export const sight = computed<Sight>(() => ({ now: minute.value, minuteOf, within, conflicts: conflicts.value }))
export const board = computed(() => boardOf(orders.value, { ...filter.value, text: search.value }, sight.value))
export const openCount = computed(() => orders.value.filter((one) => stageOf(one) !== 'done').length)
