import assert from 'node:assert/strict'
import { test } from 'node:test'
import { apply, emptyState, load, noEffects, putIncident } from '../src/core/live.ts'
import { levelToSound } from '../src/core/sound.ts'
import { T0, assignment, at, incident } from './make.ts'

const entry = (kind: string, seq = 1) => ({ seq, at: at(0), kind, actor: null, body: {} })

test('an older version never overwrites a newer one', () => {
  const state = emptyState()
  assert.equal(putIncident(state, incident('a', { version: 3, state: 'acknowledged' })), true)
  assert.equal(putIncident(state, incident('a', { version: 2 })), false)
  assert.equal(state.incidents.get('a')!.state, 'acknowledged')
  assert.equal(putIncident(state, incident('a', { version: 3, seq: 9, state: 'acknowledged' })), true)
  assert.equal(putIncident(state, incident('a', { version: 3, seq: 8, state: 'acknowledged' })), false)
  // Also not one that has ended: a late event must not bring it back to life.
  putIncident(state, incident('a', { version: 5, state: 'closed' }))
  assert.equal(putIncident(state, incident('a', { version: 4, state: 'acknowledged' })), false)
  assert.equal(state.incidents.size, 0)
})

test('raised, claimed, closed, reopened', () => {
  const state = emptyState()
  const effects = noEffects()
  apply(state, { event: 'incident.raised', data: { incident: incident('a'), entry: entry('raised') } }, effects)
  assert.deepEqual(effects.raised, ['a'])
  apply(state, { event: 'incident.updated', data: { incident: incident('a', { version: 2, state: 'resolved' }), entry: entry('resolved') } }, effects)
  assert.equal(state.incidents.size, 0)
  assert.equal(state.ended.get('a')!.state, 'resolved')
  apply(state, { event: 'incident.updated', data: { incident: incident('a', { version: 3 }), entry: entry('reopened') } }, effects)
  assert.equal(state.incidents.get('a')!.state, 'open')
  assert.equal(state.ended.size, 0)
  assert.deepEqual(effects.raised, ['a', 'a'])
})

test('a further press on a claimed incident alerts again', () => {
  const state = emptyState()
  load(state, [incident('a', { state: 'acknowledged' })])
  const effects = noEffects()
  const data = { incident: incident('a', { version: 2, state: 'acknowledged', alarms: 2 }), entries: [entry('pressed', 2), entry('realerted', 3)] }
  apply(state, { event: 'incident.updated', data }, effects)
  assert.deepEqual(effects.realerted, ['a'])
  assert.deepEqual(effects.raised, [])
})

test('an assignment moves inside its incident, and only forwards', () => {
  const state = emptyState()
  load(state, [incident('a')])
  const send = (version: number, status: 'accepted' | 'en_route') =>
    apply(state, { event: 'assignment.updated', data: { assignment: assignment('g', { incident_id: 'a', version, state: status }) } }, noEffects())
  send(3, 'en_route')
  send(2, 'accepted')
  assert.equal(state.incidents.get('a')!.assignments.length, 1)
  assert.equal(state.incidents.get('a')!.assignments[0]!.state, 'en_route')
})

test('unknown events and broken bodies change nothing', () => {
  const state = emptyState()
  load(state, [incident('a')])
  for (const event of ['incident.raised', 'incident.updated', 'assignment.updated', 'order.updated', 'something.new']) {
    for (const data of [null, {}, { incident: null }, { assignment: null }]) apply(state, { event, data }, noEffects())
  }
  assert.equal(state.incidents.size, 1)
})

test('the most urgent unclaimed sounds; a mute never silences what comes after it; a flood leaves level one', () => {
  const critical = incident('c')
  const high = incident('h', { priority: 'high' })
  const nobody = new Map<string, number>()
  assert.equal(levelToSound([high, critical], nobody, T0, false), 'critical')
  assert.equal(levelToSound([high], nobody, T0, false), 'high')
  assert.equal(levelToSound([high], nobody, T0, true), null)
  assert.equal(levelToSound([{ ...critical, state: 'acknowledged' }], nobody, T0, false), null)
  assert.equal(levelToSound([incident('l', { priority: 'low' })], nobody, T0, false), null)
  const muted = new Map([['c', T0 + 120_000]])
  assert.equal(levelToSound([critical], muted, T0, false), null)
  assert.equal(levelToSound([critical, incident('later')], muted, T0, false), 'critical')
  assert.equal(levelToSound([critical], muted, T0 + 120_001, false), 'critical')
})

test('only a call that comes in is news for the bar of calls', () => {
  const effects = noEffects()
  apply(emptyState(), { event: 'call.updated', data: { call: { direction: 'out' } } }, effects)
  assert.equal(effects.calls, false)
  apply(emptyState(), { event: 'call.updated', data: { call: { direction: 'in' } } }, effects)
  assert.equal(effects.calls, true)
})
