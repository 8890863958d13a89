import assert from 'node:assert/strict'
import { test } from 'node:test'
import { byUrgency, inTab, isOverdue, isToClose, isUnclaimed, passes, settle, TABS } from '../src/core/order.ts'
import { PRIORITIES, type Incident } from '../src/core/types.ts'
import { T0, assignment, at, incident } from './make.ts'

const none = { priorities: new Set<never>(), classes: new Set<never>(), text: '' }

test('unclaimed first, then level, then longest waiting', () => {
  const rows = [
    incident('claimed', { state: 'acknowledged', opened_at: at(-900) }),
    incident('low', { priority: 'low', opened_at: at(-900) }),
    incident('young', { opened_at: at(-1) }),
    incident('old', { opened_at: at(-60) }),
    incident('high', { priority: 'high', opened_at: at(-900) }),
  ]
  assert.deepEqual(rows.sort(byUrgency).map((i) => i.id), ['old', 'young', 'high', 'low', 'claimed'])
})

test('the order is total: equal rows never swap, whatever order they come in', () => {
  const rows: Incident[] = []
  for (let i = 0; i < 40; i++) rows.push(incident(`i${i}`, { priority: PRIORITIES[i % 4]!, opened_at: at(-(i % 3)) }))
  const one = [...rows].sort(byUrgency).map((i) => i.id)
  const other = [...rows].reverse().sort(byUrgency).map((i) => i.id)
  assert.deepEqual(one, other)
})

test('every live incident stands in the tabs it should, and technical ones never in the queue', () => {
  const me = 'u1'
  const tabs = (i: Incident) => TABS.filter((tab) => inTab(i, tab, me, T0))
  assert.deepEqual(tabs(incident('a')), ['open'])
  assert.deepEqual(tabs(incident('b', { state: 'acknowledged', acknowledged_by: { id: me, name: 'Me' } })), ['mine', 'progress'])
  assert.deepEqual(tabs(incident('c', { state: 'in_progress', acknowledged_by: { id: 'u2', name: 'Li' } })), ['progress'])
  assert.deepEqual(tabs(incident('d', { shelved_until: at(60) })), ['shelved'])
  assert.deepEqual(tabs(incident('e', { shelved_until: at(-1) })), ['open'])
  assert.deepEqual(tabs(incident('f', { class: 'technical', priority: 'low' })), ['technical'])
  assert.deepEqual(tabs(incident('g', { state: 'closed' })), ['recent'])
})

test('technical and shelved incidents neither count nor sound', () => {
  assert.equal(isUnclaimed(incident('a'), T0), true)
  assert.equal(isUnclaimed(incident('a', { class: 'technical' }), T0), false)
  assert.equal(isUnclaimed(incident('a', { shelved_until: at(1) }), T0), false)
  assert.equal(isUnclaimed(incident('a', { state: 'acknowledged' }), T0), false)
})

test('everybody has come back and nobody has closed it: that is to be seen', () => {
  const of = (...states: ('completed' | 'stood_down' | 'on_scene' | 'declined')[]) =>
    incident('a', { state: 'in_progress', assignments: states.map((state, i) => assignment(`g${i}`, { state })) })
  assert.equal(isToClose(of('completed', 'stood_down')), true)
  assert.equal(isToClose(of('completed', 'on_scene')), false)
  assert.equal(isToClose(of('declined')), false)
  assert.equal(isToClose({ ...of('completed'), state: 'closed' }), false)
})

test('late after a minute at level one, after three at level two', () => {
  assert.equal(isOverdue(incident('a', { opened_at: at(-60) }), T0), false)
  assert.equal(isOverdue(incident('a', { opened_at: at(-61) }), T0), true)
  assert.equal(isOverdue(incident('a', { priority: 'high', opened_at: at(-179) }), T0), false)
  assert.equal(isOverdue(incident('a', { priority: 'high', opened_at: at(-181) }), T0), true)
})

test('held, nothing moves and nothing leaves; new ones wait', () => {
  assert.deepEqual(settle(['a', 'b'], ['x', 'b'], true), { ids: ['a', 'b'], fresh: ['x'] })
  assert.deepEqual(settle(['a', 'b'], ['x', 'b'], false), { ids: ['x', 'b'], fresh: [] })
  // An empty list has nothing to hold still: the first alarm shows at once.
  assert.deepEqual(settle([], ['x'], true), { ids: ['x'], fresh: [] })
})

test('the filter looks in name, place, phone and number', () => {
  const row = incident('a', {
    number: 481,
    resident: { id: 'R-1', name: 'Wang', age: 79, sex: 'f', phone: '13900001111', address: 'Building 3', lat: null, lon: null, lives_alone: true, status: 'home', warnings: [] },
  })
  for (const text of ['wang', '1111', 'building 3', '#481', ' Wang ', '']) assert.equal(passes(row, { ...none, text }), true, text)
  assert.equal(passes(row, { ...none, text: 'Zhao' }), false)
  assert.equal(passes(row, { ...none, priorities: new Set(['high'] as const) }), false)
})
