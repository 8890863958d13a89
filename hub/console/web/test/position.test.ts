import assert from 'node:assert/strict'
import { test } from 'node:test'
import { apply, emptyState, load, noEffects } from '../src/core/live.ts'
import { isDue } from '../src/phone/pace.ts'
import { assignment, at, incident } from './make.ts'

test('a phone on its way tells four times a minute while it moves, and once while it does not', () => {
  const here = { lat: 31.3396, lon: 118.3962 }
  const there = { lat: 31.3400, lon: 118.3962 }
  assert.equal(isDue(null, here, 0), true)
  const told = { ...here, at: 1000 }
  assert.equal(isDue(told, there, 15_999), false)
  assert.equal(isDue(told, there, 16_000), true)
  assert.equal(isDue(told, here, 16_000), false)
  assert.equal(isDue(told, here, 61_000), true)
})

test('an arrival reckoned anew is shown, an older one is not, and the version stays', () => {
  const state = emptyState()
  load(state, [incident('i', { assignments: [assignment('a', { incident_id: 'i', state: 'en_route', eta_s: 600, version: 3 })] })])
  const move = (eta_s: number, eta_at: string, id = 'a') => {
    const effects = noEffects()
    const arrivals = [{ assignment_id: id, incident_id: 'i', eta_s, eta_at }]
    apply(state, { event: 'responder.moved', data: { responder_id: 'S-1', lat: 1, lon: 2, position_at: eta_at, position_accuracy_m: 9, arrivals } }, effects)
    return effects
  }
  const first = move(240, at(60))
  assert.deepEqual([...first.touched], ['i'])
  assert.equal(first.moved.length, 1)
  assert.equal(move(900, at(30)).touched.size, 0)
  assert.equal(move(900, at(90), 'another').touched.size, 0)
  const one = state.incidents.get('i')!.assignments[0]!
  assert.deepEqual([one.eta_s, one.eta_at, one.version, one.state], [240, at(60), 3, 'en_route'])
})
