import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Board, Duty, Gap } from '../src/console/rota/types.ts'
import { addDays, gridOf, mondayOf, nextGap } from '../src/console/rota/week.ts'

const dayOf = (at: string) => at.slice(0, 10)
const named = (role: string, area: string | null) => `${role} ${area ?? ''}`
const duty = (who: string, starts_at: string, area_ids = ['G1'], role = 'guard'): Duty => ({
  responder: { id: who, name: who },
  role,
  area_ids,
  starts_at,
  ends_at: starts_at,
  shift_id: who,
  override_id: null,
  instead_of: null,
})
const gap = (starts_at: string, area_id: string | null = 'G1', role = 'guard'): Gap => ({ kind: 'below', role, area_id, starts_at, ends_at: starts_at, wanted: 1, have: 0, source: null, about: null })
const board = (duties: Duty[], gaps: Gap[] = []): Board => ({
  from: '2026-11-23',
  days: [0, 1, 2].map((n) => ({ day: addDays('2026-11-23', n), works: true, name: null })),
  duties,
  gaps,
  overrides: [],
  swaps: [],
  areas: {},
})

test('a shift stands on the day it begins, one from before on the first day', () => {
  const rows = gridOf(board([duty('A', '2026-11-24T20:00'), duty('B', '2026-11-22T20:00')]), dayOf, named)
  assert.deepEqual(rows.map((row) => row.cells.map((cell) => cell.duties.map((one) => one.responder.id))), [[['B'], ['A'], []]])
})

test('each role and area has a row, several areas share one, and a gap without anybody has one too', () => {
  const rows = gridOf(board([duty('A', '2026-11-23T08:00'), duty('B', '2026-11-23T08:00', ['G1', 'G2']), duty('C', '2026-11-23T08:00', [], 'nurse')], [gap('2026-11-25T00:00', 'G9')]), dayOf, named)
  assert.deepEqual(rows.map((row) => [row.role, row.area, row.gaps]), [['guard', null, 0], ['guard', 'G1', 0], ['guard', 'G9', 1], ['nurse', null, 0]])
})

test('what begins after the last day is not shown', () => {
  const rows = gridOf(board([duty('A', '2026-12-24T20:00')]), dayOf, named)
  assert.equal(rows[0]?.cells.flatMap((cell) => cell.duties).length, 0)
})

test('the next gap goes round and comes back to the only one', () => {
  const rows = gridOf(board([duty('A', '2026-11-23T08:00')], [gap('2026-11-24T00:00'), gap('2026-11-25T00:00', 'G9')]), dayOf, named)
  assert.deepEqual(nextGap(rows, 0, 0), [0, 1])
  assert.deepEqual(nextGap(rows, 0, 1), [1, 2])
  assert.deepEqual(nextGap(rows, 1, 2), [0, 1])
  assert.deepEqual(nextGap(rows.slice(0, 1), 0, 1), [0, 1])
  assert.equal(nextGap([], 0, 0), null)
})

test('weeks begin on Monday, across years', () => {
  assert.equal(mondayOf('2026-11-29'), '2026-11-23')
  assert.equal(mondayOf('2027-01-01'), '2026-12-28')
  assert.equal(addDays('2026-12-31', 1), '2027-01-01')
})
