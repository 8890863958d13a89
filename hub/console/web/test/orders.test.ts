import assert from 'node:assert/strict'
import { test } from 'node:test'
import { COST_PARTS, addPoint, changeKind, costPath, gainOf, inForce, linesOf, sortedChanges, toldBy } from '../src/console/orders/compare.ts'
import { conflictsOf, isFixed, judge, type Bar, type Carer } from '../src/console/orders/conflicts.ts'
import { dropTarget, hoursOf, lanesOf, rowsInSight, rowsOf, scaleOf, snap, stepFocus, stepTarget, timeAt, widthOf, xOf } from '../src/console/orders/gantt.ts'
import { NO_FILTER, boardOf, inBoundary, keepPlaces, latenessOf, mayDrop, missingCarers, neighbour, nextToDo, placesOf, stageOf, travelMinutes, type Filter, type Sight } from '../src/console/orders/stage.ts'
import type { DayOrder, DayRoute, DayVisit, PlanBrief, PlanChange } from '../src/console/orders/types.ts'
import { attributesOf, fields, neededFor, saidOf } from '../src/console/orders/fields.ts'
import { ringOf } from '../src/console/orders/map.ts'
import { assignment } from './make.ts'

const MINUTE = 60_000
const DAY = Date.parse('2026-11-23T00:00:00+08:00')
const hm = (hour: number, minute = 0) => new Date(DAY + (hour * 60 + minute) * MINUTE).toISOString()
const ms = (hour: number, minute = 0) => DAY + (hour * 60 + minute) * MINUTE
let number = 0

function order(id: string, change: Partial<DayOrder> = {}, visit: Partial<DayVisit> = {}): DayOrder {
  return {
    id,
    number: ++number,
    version: 1,
    kind: 'housekeeping',
    state: 'requested',
    resident: { id: `R-${id}`, name: id, age: 80, sex: 'f', phone: null, address: null, lat: 31.33, lon: 118.38, lives_alone: false, status: 'home', warnings: [] },
    wanted_from: hm(9),
    wanted_to: hm(9, 30),
    duration_min: 60,
    carers: 1,
    note: null,
    created_at: hm(6),
    ...change,
    visit: { id: `v-${id}`, order_id: id, state: 'planned', planned_start: null, started_at: null, ended_at: null, assignments: [], outcome: null, ...visit },
  }
}
const by = (who: string, state: 'offered' | 'accepted' | 'declined' | 'en_route' | 'on_scene' | 'completed' = 'accepted') =>
  assignment(`${who}-${state}`, { responder: { id: who, name: who, kind: 'carer', phone: null }, state })
const sight = (now: number, conflicts = new Map<string, unknown>()): Sight => ({ now, minuteOf: (at) => (at - DAY) / MINUTE, within: (one, area) => one.area_id === area, conflicts })

test('an order stands in the column of what its people have reported', () => {
  const stage = (change: Partial<DayOrder>, ...states: Parameters<typeof by>[1][]) => stageOf(order('x', change, { assignments: states.map((one, n) => by(`S${n}`, one)) }))
  assert.equal(stage({}), 'vacant')
  assert.equal(stage({ state: 'assigned' }, 'offered'), 'offered')
  assert.equal(stage({ state: 'assigned', carers: 2 }, 'accepted', 'offered'), 'offered')
  assert.equal(stage({ state: 'assigned' }, 'accepted'), 'accepted')
  assert.equal(stage({ state: 'assigned' }, 'accepted', 'en_route'), 'under_way')
  // Whoever declined is gone: the place is vacant again.
  assert.equal(stage({ state: 'assigned' }, 'declined'), 'vacant')
  assert.equal(stage({ state: 'in_service' }, 'on_scene'), 'in_service')
  assert.equal(stage({ state: 'missed' }), 'trouble')
  assert.equal(stage({ state: 'aborted' }, 'completed'), 'trouble')
  assert.equal(stage({ state: 'completed' }, 'completed'), 'done')
  assert.equal(stage({ state: 'cancelled' }), 'done')
})

test('what has to be asked after waits there until it was', () => {
  const again = (done_at: string | null) => ({ why: 'sample', due_at: hm(18), tries: 0, done_at, way: null, outcome: null, note: null, version: 1 })
  const said = { score: 1, words: null, given_by: 'family', complaint: true, incident_id: null, at: hm(11), version: 1 }
  assert.equal(stageOf(order('x', { state: 'completed', return_visit: again(null) })), 'follow_up')
  assert.equal(stageOf(order('x', { state: 'completed', return_visit: again(hm(19)), satisfaction: said })), 'done')
  assert.equal(stageOf(order('x', { state: 'completed', satisfaction: said })), 'follow_up')
  const flagged = { kind: 'in', at: hm(9), recorded_at: hm(9), distance_m: 900, flags: ['far'], photo_sha256: null, responder_id: 'S', verdict: 'flagged', id: 'c', findings: [], review: null } as const
  assert.equal(stageOf(order('x', { state: 'completed' }, { checks: [{ ...flagged, flags: ['far'], findings: [] }] })), 'follow_up')
  assert.equal(stageOf(order('x', { state: 'completed' }, { checks: [{ ...flagged, flags: ['far'], findings: [], review: { verdict: 'accepted', reason: '', at: hm(12), by: null } }] })), 'done')
})

test('late is 15, 30 and 60 minutes after what was promised, and the worse word wins', () => {
  const one = order('x')
  const level = (now: number, change: Partial<DayOrder> = {}, visit: Partial<DayVisit> = {}) => latenessOf(order('x', change, visit), now)?.level ?? null
  assert.deepEqual([9 * 60 + 44, 9 * 60 + 45, 10 * 60, 10 * 60 + 29, 10 * 60 + 30].map((minute) => latenessOf(one, ms(0, minute))?.level ?? null), [null, 'yellow', 'red', 'red', 'missed'])
  assert.equal(latenessOf(one, ms(9, 50))?.minutes, 20)
  assert.equal(level(ms(10), {}, { promised_from: hm(9, 45), promised_to: hm(10) }), null)
  assert.equal(level(ms(9, 50), { late: 'red' }), 'red')
  assert.equal(level(ms(10, 45), { late: 'yellow' }), 'missed')
  // Once somebody is there no clock of this page counts on.
  assert.equal(level(ms(14), { state: 'in_service' }), null)
  assert.equal(level(ms(14), { state: 'completed', late: 'yellow' }), 'yellow')
})

test('filters leave what was asked for, and the board sorts by time alone', () => {
  const orders = [order('b', { wanted_from: hm(10), wanted_to: hm(11), area_id: 'A' }), order('a', { kind: 'bathing', provider_id: 'P', state: 'assigned' }, { assignments: [by('Sun')] }), order('c', { state: 'cancelled' })]
  const ids = (change: Partial<Filter>, now = ms(8)) => Object.values(boardOf(orders, { ...NO_FILTER, ...change }, sight(now, new Map([['v-a', 1]])))).flat().map((one) => one.id).sort()
  assert.deepEqual(ids({}), ['a', 'b', 'c'])
  assert.deepEqual(ids({ kind: 'bathing' }), ['a'])
  assert.deepEqual(ids({ provider: 'P' }), ['a'])
  assert.deepEqual(ids({ area: 'A' }), ['b'])
  assert.deepEqual(ids({ from: 600 }), ['b'])
  assert.deepEqual(ids({ to: 600 }), ['a', 'c'])
  assert.deepEqual(ids({ only: new Set(['vacant']) }), ['b'])
  assert.deepEqual(ids({ only: new Set(['late']) }, ms(9, 50)), ['a'])
  assert.deepEqual(ids({ only: new Set(['conflict']) }), ['a'])
  assert.deepEqual(ids({ text: 'sun' }), ['a'])
  assert.deepEqual(ids({ text: `#${orders[0]!.number}` }), ['b'])
})

test('two carers wanted and one there: one is missing', () => {
  assert.equal(missingCarers(order('x', { carers: 2, state: 'assigned' }, { assignments: [by('A')] })), 1)
  assert.equal(missingCarers(order('x', { state: 'in_service', carers: 2 })), 0)
  assert.ok(mayDrop(order('x'), 'offered'))
  assert.ok(!mayDrop(order('x'), 'in_service'))
  assert.ok(!mayDrop(order('x', { state: 'assigned' }, { assignments: [by('A')] }), 'offered'))
})

test('the keyboard goes through the columns and over empty ones', () => {
  const board = boardOf([order('a'), order('b', { wanted_from: hm(10), wanted_to: hm(11) }), order('c', { state: 'in_service' })], NO_FILTER, sight(ms(8)))
  const columns = ['vacant', 'offered', 'accepted', 'under_way', 'in_service'] as const
  const go = (from: string | null, step: 'up' | 'down' | 'left' | 'right') => neighbour(board, columns, from, step)?.id ?? null
  assert.equal(go(null, 'down'), 'a')
  assert.equal(go('a', 'down'), 'b')
  assert.equal(go('b', 'down'), 'b')
  assert.equal(go('b', 'right'), 'c')
  assert.equal(go('c', 'left'), 'a')
  assert.equal(go('c', 'right'), null)
  assert.equal(nextToDo(board, null, ms(8))?.id, 'a')
  assert.equal(nextToDo(board, 'a', ms(8))?.id, 'b')
  assert.equal(nextToDo(board, 'b', ms(8))?.id, 'a')
})

test('a point lies in an area with its holes left out', () => {
  const square = (a: number, b: number) => [[a, a], [b, a], [b, b], [a, b], [a, a]]
  const area = { type: 'Polygon', coordinates: [square(0, 10), square(4, 6)] }
  assert.ok(inBoundary(1, 1, area))
  assert.ok(!inBoundary(5, 5, area))
  assert.ok(!inBoundary(11, 1, area))
  assert.ok(inBoundary(1, 1, { type: 'MultiPolygon', coordinates: [[square(20, 30)], [square(0, 2)]] }))
  assert.ok(!inBoundary(1, 1, null))
})

// ---- the day

const carer = (id: string, change: Partial<Carer> = {}): Carer => ({ id, name: id, kind: 'carer', skills: null, shifts: [], breaks: [], absent: [], ...change })
const bar = (one: DayOrder, start: number, end: number, who = 'S'): Bar => ({ key: `${one.visit!.id} ${who}`, order: one, visitId: one.visit!.id, responderId: who, start, end, travelFrom: null, arrive: null, frozen: false, promised: false })
const codes = (list: readonly { code: string }[]) => list.map((one) => one.code).sort()

test('conflicts: overlap, too little way, outside the shift, in the break, while ill, without the skill', () => {
  const far = { ...order('far').resident!, lat: 31.43 }
  const a = bar(order('a', { wanted_to: hm(18) }), ms(9), ms(10))
  assert.deepEqual(judge(a, [a, bar(order('b'), ms(9, 45), ms(10, 30))], null), [{ code: 'overlap', minutes: 15, with: 'v-b', hard: true }])
  assert.deepEqual(judge(a, [bar(order('b'), ms(10), ms(11))], null), [])
  const [way] = judge(a, [bar(order('b', { resident: far }), ms(10, 10), ms(11))], null)
  assert.equal(way?.code, 'travel')
  assert.ok(Math.abs(way!.minutes - (travelMinutes(a.order.resident, far)! - 10)) <= 1)
  assert.deepEqual(codes(judge(a, [], carer('S', { shifts: [{ start: ms(9, 30), end: ms(17) }] }))), ['off_shift'])
  assert.deepEqual(codes(judge(a, [], carer('S', { breaks: [{ start: ms(9, 50), end: ms(10, 20) }] }))), ['break'])
  assert.deepEqual(codes(judge(a, [], carer('S', { absent: [{ start: ms(0), end: ms(24) }] }))), ['absent'])
  assert.deepEqual(codes(judge(a, [], carer('S', { skills: new Set(['bathing']) }), { all: ['housekeeping'], any: [] })), ['skill'])
  assert.deepEqual(codes(judge(a, [], carer('S', { skills: new Set(['housekeeping']) }), { all: [], any: ['care', 'housekeeping'] })), [])
})

test('a move is judged by the window, and by the promise where there is one', () => {
  const one = order('a')
  assert.deepEqual(codes(judge(bar(one, ms(8), ms(9)), [], null)), ['early'])
  assert.deepEqual(codes(judge(bar(one, ms(9, 40), ms(10)), [], null)), ['late'])
  const promised = order('a', {}, { promised_from: hm(9, 30), promised_to: hm(10) })
  assert.deepEqual(codes(judge(bar(promised, ms(9), ms(10)), [], null)), ['early'])
})

test('a resident with two carers of different services at once is marked on both, the pair of one service is not', () => {
  const home = order('a').resident!
  const a = order('a', { resident: home })
  const b = order('b', { resident: home })
  const marks = conflictsOf(new Map([['S', [bar(a, ms(9), ms(10), 'S')]], ['T', [bar(b, ms(9, 30), ms(10, 30), 'T')]]]), new Map())
  assert.deepEqual([...marks].map(([id, list]) => [id, codes(list)]), [['v-a', ['twice']], ['v-b', ['twice']]])
  assert.equal(conflictsOf(new Map([['S', [bar(a, ms(9), ms(10), 'S')]], ['T', [bar(a, ms(9), ms(10), 'T')]]]), new Map()).size, 0)
})

test('what has begun is fixed', () => {
  assert.ok(isFixed(order('x', { state: 'in_service' })))
  assert.ok(isFixed(order('x', { state: 'assigned' }, { assignments: [by('S', 'en_route')] })))
  assert.ok(!isFixed(order('x', { state: 'assigned' }, { assignments: [by('S')] })))
})

test('the scale covers the day in whole hours; pixels and times are one another\'s inverse', () => {
  const scale = scaleOf(DAY, [ms(6, 40), ms(20, 10)], 2)
  assert.deepEqual([scale.from, scale.to], [ms(6), ms(21)])
  assert.equal(widthOf(scale), 15 * 60 * 2)
  assert.equal(hoursOf(scale).length, 16)
  assert.equal(timeAt(scale, xOf(scale, ms(9, 37))), ms(9, 37))
  assert.equal(snap(scale, ms(9, 37)), ms(9, 30))
  assert.equal(snap(scale, ms(9, 38)), ms(9, 45))
  assert.equal(scaleOf(DAY, [NaN], 1).from, ms(7))
})

const route = (who: string, ...stops: [DayOrder, number, number][]): DayRoute => ({
  id: `r-${who}`,
  plan_id: 'p',
  date: '2026-11-23',
  responder_id: who,
  responder: { id: who, name: who },
  crew_id: null,
  leave_at: hm(8, 30),
  back_at: hm(17),
  breaks: [{ start: hm(12), end: hm(12, 30) }],
  travel_min: 30,
  service_min: 120,
  stops: stops.map(([one, start, end]) => ({ visit_id: one.visit!.id, order_id: one.id, kind: one.kind, state: 'planned', resident: { id: 'R', name: 'R' }, lat: null, lon: null, sequence: 1, part: 0, wanted_from: hm(9), wanted_to: hm(10), arrive_at: new Date(start - 5 * MINUTE).toISOString(), start_at: new Date(start).toISOString(), leave_at: new Date(end).toISOString(), frozen: null, why: [] })),
})

test('rows come from routes, then from assignments; what has nobody is unplanned; nobody planned vanishes', () => {
  const a = order('a')
  const b = order('b', { state: 'assigned' }, { assignments: [by('T')], planned_start: hm(14) })
  const c = order('c')
  const gone = order('d', { state: 'cancelled' })
  const { rows, unplanned } = rowsOf({ orders: [a, b, c, gone], routes: [route('S', [a, ms(9), ms(10)])], carers: [carer('S'), carer('U')] })
  assert.deepEqual(rows.map((row) => [row.carer.id, row.bars.map((one) => one.visitId)]), [['S', ['v-a']], ['T', ['v-b']], ['U', []]])
  assert.deepEqual(unplanned.map((one) => one.id), ['c'])
  assert.deepEqual([rows[0]!.bars[0]!.travelFrom, rows[0]!.bars[0]!.arrive], [ms(8, 30), ms(8, 55)])
  assert.deepEqual(rows[0]!.carer.breaks, [{ start: ms(12), end: ms(12, 30) }])
  assert.equal(rows[1]!.bars[0]!.end, ms(15))
})

test('what has begun stands at its real time and is frozen', () => {
  const a = order('a', { state: 'in_service' }, { assignments: [by('S', 'on_scene')], started_at: hm(9, 12) })
  const [row] = rowsOf({ orders: [a], routes: [route('S', [a, ms(9), ms(10)])], carers: [] }).rows
  assert.deepEqual([row!.bars[0]!.start, row!.bars[0]!.end, row!.bars[0]!.frozen], [ms(9, 12), ms(10, 12), true])
})

test('bars that overlap get lanes of their own', () => {
  const bars = [bar(order('a'), ms(9), ms(10)), bar(order('b'), ms(9, 30), ms(10)), bar(order('c'), ms(10), ms(11))]
  assert.deepEqual(lanesOf(bars), { lane: [0, 1, 0], lanes: [2, 2, 1] })
})

test('a day of 300 carers and 3,000 visits is laid out and judged in well under a second', () => {
  const carers = Array.from({ length: 300 }, (_, n) => carer(`S${n}`))
  const orders: DayOrder[] = []
  const routes = carers.map((one, n) => route(one.id, ...Array.from({ length: 10 }, (_, k): [DayOrder, number, number] => {
    const made = order(`${n}-${k}`)
    orders.push(made)
    return [made, ms(8, k * 55), ms(8, k * 55 + 45)]
  })))
  const began = performance.now()
  const { rows } = rowsOf({ orders, routes, carers })
  const marks = conflictsOf(new Map(rows.map((row) => [row.carer.id, row.bars])), new Map(rows.map((row) => [row.carer.id, row.carer])))
  assert.ok(performance.now() - began < 3000)
  assert.equal(rows.length, 300)
  assert.equal(rows.reduce((sum, row) => sum + row.bars.length, 0), 3000)
  // Every carer's fifth visit lies over the break of 12:00.
  assert.ok(marks.size >= 300)
  assert.deepEqual(rowsInSight(4000, 800, 40, 300), [96, 124])
})

test('arrows move the focus along and between rows, and what is picked up by a quarter of an hour', () => {
  const [a, b, c] = [order('a'), order('b'), order('c')]
  const { rows } = rowsOf({ orders: [a, b, c], routes: [route('S', [a, ms(9), ms(10)], [b, ms(14), ms(15)]), route('T', [c, ms(13), ms(14)])], carers: [] })
  assert.deepEqual(stepFocus(rows, 0, 'v-a S', 'right'), { row: 0, key: 'v-b S' })
  assert.deepEqual(stepFocus(rows, 0, 'v-a S', 'left'), { row: 0, key: 'v-a S' })
  assert.deepEqual(stepFocus(rows, 1, 'v-c T', 'up'), { row: 0, key: 'v-b S' })
  assert.deepEqual(stepFocus(rows, 0, 'v-a S', 'up'), { row: 0, key: 'v-a S' })
  const scale = scaleOf(DAY, [], 1)
  const step = (start: number, to: 'left' | 'right' | 'up' | 'down', row = 0) => stepTarget({ row, start }, to, scale, 2, 60 * MINUTE)
  assert.equal(step(ms(9), 'right').start, ms(9, 15))
  assert.equal(step(ms(9), 'left').start, ms(8, 45))
  assert.equal(step(ms(9, 7), 'right').start, ms(9, 15))
  assert.equal(step(ms(9, 7), 'left').start, ms(9))
  assert.equal(step(ms(18), 'right').start, ms(18))
  assert.equal(step(ms(9), 'down').row, 1)
  assert.equal(step(ms(9), 'down', 1).row, 1)
})

test('what is dropped comes to lie on the grid of the row under the pointer, and nowhere outside', () => {
  const scale = scaleOf(DAY, [], 2)
  assert.deepEqual(dropTarget(scale, 40, 5, xOf(scale, ms(10, 3)) + 30, 90, 30, 60 * MINUTE), { row: 2, start: ms(10) })
  assert.equal(dropTarget(scale, 40, 5, 100, 400, 0, 60 * MINUTE), null)
  assert.equal(dropTarget(scale, 40, 5, 100, -1, 0, 60 * MINUTE), null)
})

// ---- proposals

const side = (at: [string, number] | null) => at && { responder_id: at[0], responder_ids: [at[0]], start: hm(at[1]), end: hm(at[1] + 1) }
const change = (id: string, was: [string, number] | null, now: [string, number] | null, tell: PlanChange['tell'] = []): PlanChange => ({
  order_id: id,
  visit_id: `v-${id}`,
  kind: 'bathing',
  resident: { id: 'R', name: 'R' },
  was: side(was),
  now: side(now),
  tell,
})

test('what changes is named, sorted by how much it hurts, and everybody is told once', () => {
  const list = [change('a', null, ['S', 9]), change('b', ['S', 9], ['S', 10], ['resident', 'contact']), change('c', ['S', 9], ['T', 9], ['responder']), change('d', ['S', 8], null, ['resident', 'responder']), change('e', ['S', 9], ['T', 10])]
  assert.deepEqual(list.map(changeKind), ['added', 'time', 'carer', 'dropped', 'both'])
  assert.deepEqual(sortedChanges(list).map((one) => one.order_id), ['d', 'e', 'c', 'b', 'a'])
  const told = toldBy(list)
  assert.deepEqual([told.residents.size, told.contacts.size, [...told.responders].sort()], [1, 1, ['S', 'T']])
})

test('figures stand beside what they were; less is better, but not of visits planned', () => {
  const lines = linesOf({ travel_min: 100, late_min: 5, planned_visits: 9, total: 50 }, { travel_min: 90, late_min: 5, planned_visits: 10, waiting_min: 0, total: 48.5, travel: 3 }, [...COST_PARTS, 'total'])
  assert.deepEqual(lines.map((one) => [one.part, one.change, one.better]), [['travel_min', -10, true], ['late_min', 0, null], ['planned_visits', 1, true], ['total', -1.5, true]])
  assert.deepEqual(linesOf(null, { travel_min: 3 }), [{ part: 'travel_min', before: null, after: 3, change: null, better: null }])
  assert.deepEqual(linesOf({ continuity: 0.8 }, { continuity: 0.82 }, ['continuity']).map((one) => one.better), [true])
  assert.deepEqual(linesOf({}, null), [])
})

test('the gain is counted in visits where more are done, else in cost', () => {
  assert.deepEqual(gainOf({ total: 900, unplanned_visits: 5 }, { total: 400, unplanned_visits: 2 }), { visits: 3 })
  assert.deepEqual(gainOf({ total: 200, unplanned_visits: 2 }, { total: 150, unplanned_visits: 2 }), { percent: 25 })
  assert.equal(gainOf({ total: 200, unplanned_visits: 2 }, { total: 150, unplanned_visits: 3 }), null)
  assert.equal(gainOf({}, {}), null)
})

test('the plan in force is the one published last', () => {
  const plan = (id: string, state: PlanBrief['state'], published_at: string | null) => ({ id, state, published_at }) as PlanBrief
  assert.equal(inForce([plan('a', 'published', hm(6)), plan('b', 'published', hm(7)), plan('c', 'ready', null), plan('d', 'superseded', hm(9))])?.id, 'b')
  assert.equal(inForce([]), null)
})

test('the falling cost is a line in its box', () => {
  let points = addPoint([], 1, 500)
  points = addPoint(points, 2, 100)
  points = addPoint(points, 2, 90)
  points = addPoint(points, 4, 80)
  assert.deepEqual(points.map((one) => one.cost), [500, 90, 80])
  assert.match(costPath(points, 100, 40), /^M25\.0 2\.0L50\.0 [\d.]+L100\.0 38\.0$/)
  assert.deepEqual(addPoint(points, 1, 70), [{ seconds: 1, cost: 70 }])
  assert.equal(addPoint(points, 5, null).length, 3)
  assert.equal(costPath(points.slice(0, 1), 100, 40), '')
})

test('while the pointer rests nothing moves: cards keep their places and what would move is counted', () => {
  const [a, b] = [order('a'), order('b', { wanted_from: hm(10) })]
  const places = placesOf(boardOf([a, b], NO_FILTER, sight(ms(8))))
  const later = boardOf([{ ...a, state: 'in_service', version: 2 }, b, order('c')], NO_FILTER, sight(ms(8)))
  const { board, pending } = keepPlaces(places, later)
  assert.deepEqual(board.vacant.map((one) => [one.id, one.version]), [['a', 2], ['b', 1]])
  assert.equal(board.in_service.length, 0)
  assert.equal(pending, 2)
  assert.equal(keepPlaces(placesOf(later), later).pending, 0)
})

test('a kind asks for what it needs, in the hub\'s types, and the order says it in words', () => {
  const field = (name: string, type: string, required: boolean, choices: Record<string, [string, string]> | null = null) => ({ name, zh: name, en: name, type, required, choices, low: null, high: null }) as never
  fields.value = { escort: { order: [field('place', 'text', true), field('limit_fen', 'money_fen', true), field('at', 'time', true), field('goods', 'lines', true), field('paying', 'choice', true, { none: ['\u65e0', 'None'] }), field('more', 'text', false)] } }
  assert.deepEqual(neededFor('escort').map((one) => one.name), ['place', 'limit_fen', 'at', 'goods', 'paying'])
  assert.deepEqual(neededFor('unknown'), [])
  const made = attributesOf('escort', { place: ' A ', limit_fen: '12.5', at: 'x', goods: 'rice, oil', paying: 'none' }, () => hm(9))
  assert.deepEqual(made, { place: 'A', limit_fen: 1250, at: hm(9), goods: ['rice', 'oil'], paying: 'none' })
  assert.deepEqual(saidOf(order('x', { kind: 'escort', attributes: { place: 'A', limit_fen: 1250, paying: 'none' } })), [['place', 'A'], ['limit_fen', '12.50'], ['paying', '\u65e0']])
})

test('an area becomes a ring of corners, thinned to what the hub takes', () => {
  assert.deepEqual(ringOf({ type: 'Polygon', coordinates: [[[118, 31], [119, 31], [119, 32], [118, 31]]] }), [[31, 118], [31, 119], [32, 119]])
  const round = Array.from({ length: 1001 }, (_, n) => [Math.cos((n / 1000) * 6.283), Math.sin((n / 1000) * 6.283)])
  assert.equal(ringOf({ type: 'MultiPolygon', coordinates: [[round]] })!.length, 200)
  assert.equal(ringOf(null), null)
  assert.equal(ringOf({ type: 'Point', coordinates: [1, 2] }), null)
})
