import assert from 'node:assert/strict'
import { test } from 'node:test'
import { impossible, judgeGate, measured, numberOf, partners, sha256, type Bound, type VisitTask } from '../src/phone/visit.ts'
import { assignment, task } from './make.ts'

const bound = (metric: string, low: number | null, high: number | null, required = true): Bound => ({ metric, zh: metric, en: metric, unit: '', low, high, required })
const BOUNDS = [bound('systolic_mmhg', 90, 159), bound('temperature_c', 35.5, 37.4), bound('spo2_pct', 94, null, false)]
const FINE = { systolic_mmhg: 128, temperature_c: 36.5 }

test('the gate passes within its bounds and stops with every reason outside', () => {
  assert.equal(judgeGate(BOUNDS, FINE, 'given').verdict, 'pass')
  assert.equal(judgeGate(BOUNDS, { ...FINE, systolic_mmhg: 159, temperature_c: 37.4 }, 'given').verdict, 'pass')
  const stop = judgeGate(BOUNDS, { systolic_mmhg: 160, temperature_c: 35.4, spo2_pct: 93 }, 'given')
  assert.deepEqual(stop.reasons.map((one) => one.code), ['too_high', 'too_low', 'too_low'])
  assert.deepEqual([stop.verdict, stop.outcome], ['stop', 'aborted'])
  assert.deepEqual(judgeGate(BOUNDS, { systolic_mmhg: 128 }, 'given').reasons.map((one) => one.code), ['not_measured'])
})

test('who does not agree is not bathed; refusing alone is no illness', () => {
  assert.equal(judgeGate(BOUNDS, FINE, 'refused').outcome, 'refused')
  assert.equal(judgeGate(BOUNDS, { ...FINE, systolic_mmhg: 190 }, 'refused').outcome, 'aborted')
  assert.equal(judgeGate(BOUNDS, FINE, 'unable').outcome, 'aborted')
})

test('numbers are read as people type them, and slips are named', () => {
  assert.deepEqual(['36.5', '36,5', '36\uff0c5', ' 128 ', '', 'abc', undefined].map(numberOf), [36.5, 36.5, 36.5, 128, null, null, null])
  assert.deepEqual(impossible({ systolic_mmhg: '128', diastolic_mmhg: '78' }), [])
  assert.deepEqual(impossible({ systolic_mmhg: '78', diastolic_mmhg: '128' }), ['diastolic_mmhg'])
  assert.deepEqual(impossible({ temperature_c: '365', heart_rate_bpm: 'x' }).sort(), ['heart_rate_bpm', 'temperature_c'])
  assert.deepEqual(measured({ systolic_mmhg: '128', heart_rate_bpm: '' }), { systolic_mmhg: 128 })
})

test('the partner is who else goes, not who gave it back', () => {
  const own = assignment('a1', { responder: { id: 'S4', name: 'Ma', kind: 'carer', phone: null } })
  const other = assignment('a2', { responder: { id: 'S5', name: 'Gao', kind: 'carer', phone: null }, state: 'on_scene', on_scene_at: '2026-11-23T01:00:00Z' })
  const gone = assignment('a3', { responder: { id: 'S6', name: 'Li', kind: 'carer', phone: null }, state: 'declined' })
  const visit = { ...task('t', { assignment: own }), order: { visit: { assignments: [own, other, gone] } } } as unknown as VisitTask
  assert.deepEqual(partners(visit), [{ name: 'Gao', state: 'on_scene', at: '2026-11-23T01:00:00Z' }])
})

test('a picture is known by its digest', async () => {
  assert.equal(await sha256(btoa('abc')), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
})
