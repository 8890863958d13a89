import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Task } from '../src/core/types.ts'
import { clockOf } from '../src/console/meals/types.ts'
import { hotLeft, roundsOf } from '../src/phone/meals.ts'
import type { Queued } from '../src/phone/outbox.ts'
import { entered, type ResultField } from '../src/phone/results.ts'

const task = (id: string, trip: string | null, stop: number, left: string | null = null, leave = '2026-11-24T03:00:00Z') =>
  ({
    assignment: { id, version: 1, state: 'offered' },
    incident: null,
    order: { id: `o-${id}`, visit: { id: `v-${id}` } },
    next: 'accept',
    ...(trip ? { meal: { trip_id: trip, stop, of: 3, leave_at: leave, left_at: left, hot_min: 45 } } : {}),
  }) as unknown as Task
const kept = (assignment: string, path: string, refused: string | null = null) => ({ assignment, path, refused, body: { at: '2026-11-24T03:02:00Z' } }) as unknown as Queued

test('stops are in the order of the round; other tasks are none', () => {
  const [round, ...more] = roundsOf([task('b', 'T', 2), task('a', 'T', 1), task('x', null, 0)], [])
  assert.deepEqual(more, [])
  assert.deepEqual(round!.stops.map((one) => one.meal.stop), [1, 2])
  assert.equal(round!.leftAt, null)
})

test('what was tapped without a signal is brought, what was refused is not', () => {
  const all = [task('a', 'T', 1), task('b', 'T', 2)]
  assert.deepEqual(roundsOf(all, [kept('a', '/visits/v-a/meal')])[0]!.stops.map((one) => one.assignment.id), ['b'])
  assert.equal(roundsOf(all, [kept('a', '/visits/v-a/meal', 'withdrawn')])[0]!.stops.length, 2)
  assert.deepEqual(roundsOf(all, [kept('a', '/visits/v-a/meal'), kept('b', '/visits/v-b/meal')]), [])
})

test('the kitchen is left when the courier says so, heard or not; the next trip waits', () => {
  const all = [task('c', 'U', 1, null, '2026-11-24T04:00:00Z'), task('a', 'T', 1)]
  const rounds = roundsOf(all, [kept('a', '/meals/trips/T/leave')])
  assert.deepEqual(rounds.map((one) => [one.id, one.leftAt]), [['T', '2026-11-24T03:02:00Z'], ['U', null]])
})

test('minutes of warmth run out and are counted on', () => {
  const left = '2026-11-24T03:00:00Z'
  const at = (minute: number) => Date.parse(left) + minute * 60_000
  assert.equal(hotLeft(null, 45, at(0)), null)
  assert.equal(hotLeft(left, 45, at(10.5)), 34)
  assert.equal(hotLeft(left, 45, at(45)), 0)
  assert.equal(hotLeft(left, 45, at(45.2)), -1)
  assert.equal(hotLeft(left, 45, at(50)), -5)
})

test('a cut-off of the evening before says so', () => {
  assert.equal(clockOf(540), '09:00')
  assert.equal(clockOf(-360), '-1 18:00')
})

test('what came of a visit: fen, lists, and what is missing', () => {
  const field = (name: string, type: ResultField['type'], required = false) => ({ name, zh: name, en: name, type, required, choices: null })
  const fields = [field('paid', 'money_fen', true), field('fetched', 'lines', true), field('to', 'text'), field('receipt', 'photo', true), field('home', 'flag'), field('at', 'time')]
  const time = (text: string) => (text.startsWith('2026') ? `${text}:00+08:00` : null)
  assert.deepEqual(entered(fields, { paid: '23.5', fetched: '华法林、二甲双胍\n', to: ' 本人 ', home: true, at: '2026-11-24T09:00' }, time), {
    results: { paid: 2350, fetched: ['华法林', '二甲双胍'], to: '本人', home: true, at: '2026-11-24T09:00:00+08:00' },
    wrong: [],
  })
  assert.deepEqual(entered(fields, { paid: '1.234', at: 'tomorrow' }, time).wrong, ['paid', 'fetched', 'at'])
})
