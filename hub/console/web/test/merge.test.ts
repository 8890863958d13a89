import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sameEvent } from '../src/core/merge.ts'
import type { Incident } from '../src/core/types.ts'
import { at, incident } from './make.ts'

const who = (id: string) => ({ id, name: id }) as Incident['resident']
const spot = (lat: number, lon: number) => ({ lat, lon, kind: 'fix' }) as Incident['place']

test('the same person first, then close by, then the rest by how close in time', () => {
  const one = incident('one', { resident: who('R1'), place: spot(31.337, 118.371), opened_at: at(0) })
  const all = [
    one,
    incident('far-old', { place: spot(31.4, 118.5), opened_at: at(-9000) }),
    incident('far-new', { place: spot(31.4, 118.5), opened_at: at(-60) }),
    incident('near', { resident: who('R2'), place: spot(31.339, 118.372), opened_at: at(-3000) }),
    incident('same', { resident: who('R1'), place: spot(31.4, 118.5), opened_at: at(-8000) }),
    incident('technical', { class: 'technical', resident: who('R1') }),
    incident('over', { state: 'resolved', resident: who('R1') }),
  ]
  assert.deepEqual(sameEvent(one, all).map((found) => [found.incident.id, found.likely]), [
    ['same', true],
    ['near', true],
    ['far-new', false],
    ['far-old', false],
  ])
})

test('without a position the area tells', () => {
  const area = { id: 'G3', name: '3', kind: 'grid' }
  const one = incident('one', { area })
  const found = sameEvent(one, [incident('here', { area }), incident('there', { area: { ...area, id: 'G4' } })])
  assert.deepEqual(found.map((f) => [f.incident.id, f.likely]), [['here', true], ['there', false]])
})
