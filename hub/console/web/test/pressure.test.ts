/** The desk under pressure: floods, what came first, filters and what they hide, which banner stands. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { placesFor, treeOf } from '../src/console/area-tree.ts'
import { addressOf, shownBy } from '../src/console/queue-address.ts'
import { BANNERS, topBanner, type Banner } from '../src/core/banner.ts'
import { firstOut, floodSince } from '../src/core/flood.ts'
import { passes } from '../src/core/order.ts'
import { telephoneRings } from '../src/core/sound.ts'
import type { Area, AreaBrief } from '../src/core/types.ts'
import { T0, at, incident } from './make.ts'

const MIN = 60_000
/** `n` alarms a second apart, the last one at `end`. */
const burst = (n: number, end = T0) => Array.from({ length: n }, (_, i) => end - i * 1000)

test('a flood begins at ten in ten minutes, with the first of the ten, and ends below five', () => {
  assert.equal(floodSince(burst(9), T0), null)
  assert.equal(floodSince(burst(10), T0), T0 - 9000)
  // It goes on while five of the last ten minutes are left, and is over with the fifth of them.
  const thinned = [...burst(10), T0 + 5 * MIN, T0 + 6 * MIN, T0 + 7 * MIN, T0 + 8 * MIN, T0 + 9 * MIN]
  assert.equal(floodSince(thinned, T0 + 14 * MIN), T0 - 9000)
  assert.equal(floodSince(thinned, T0 + 15 * MIN), null)
  assert.equal(floodSince(burst(50), T0 + 11 * MIN), null)
  // A second flood begins anew, whoever loads the page in it.
  assert.equal(floodSince([...thinned, ...burst(10, T0 + 60 * MIN)].reverse(), T0 + 60 * MIN), T0 + 60 * MIN - 9000)
  assert.equal(floodSince([], T0), null)
  // A device's clock of next week begins nothing now.
  assert.equal(floodSince(burst(20, T0 + 7 * 86_400_000), T0), null)
})

const community = (id: string): AreaBrief => ({ id, name: id, kind: 'community', path: [{ id: 'D', name: 'D', kind: 'district' }, { id, name: id, kind: 'community' }] })
const grid = (id: string, of: string): AreaBrief => ({ id, name: id, kind: 'grid', path: [...community(of).path!, { id, name: id, kind: 'grid' }] })

test('the first alarm is told for each flooded area, the fullest first, and an ended one is still the first', () => {
  const rows = [
    incident('a1', { area: grid('G1', 'A'), first_alarm_at: at(30) }),
    incident('a2', { area: grid('G2', 'A'), first_alarm_at: at(20), state: 'closed' }),
    incident('a3', { area: community('A'), first_alarm_at: at(40) }),
    ...[1, 2, 3, 4].map((n) => incident(`b${n}`, { area: grid('G9', 'B'), first_alarm_at: at(50 + n) })),
    incident('c1', { area: community('C'), first_alarm_at: at(1) }),
    incident('old', { area: community('A'), first_alarm_at: at(-600) }),
    incident('t', { area: community('A'), first_alarm_at: at(2), class: 'technical' }),
  ]
  const found = firstOut(rows, T0)
  assert.deepEqual(found.map((one) => [one.incident.id, one.area?.id, one.of]), [['b1', 'B', 4], ['a2', 'A', 3]])
  // Spread all over the place: the first of all.
  const spread = firstOut([incident('x', { first_alarm_at: at(9) }), incident('y', { area: community('C'), first_alarm_at: at(5) })], T0)
  assert.deepEqual(spread.map((one) => [one.incident.id, one.area, one.of]), [['y', null, 2]])
  assert.deepEqual(firstOut([], T0), [])
})

test('an area takes in what lies below it, and nothing without a place', () => {
  const all = { priorities: new Set<never>(), classes: new Set<never>(), text: '' }
  const here = incident('i', { area: grid('G1', 'A') })
  for (const area of ['G1', 'A', 'D', null]) assert.equal(passes(here, { ...all, area }), true, String(area))
  for (const area of ['G2', 'B']) assert.equal(passes(here, { ...all, area }), false, area)
  assert.equal(passes(incident('j'), { ...all, area: 'A' }), false)
})

test('the address of the queue says what it shows, and nothing else', () => {
  const shown = { tab: 'mine', levels: ['critical', 'low'], classes: ['health'], area: 'G 1&x' } as const
  assert.deepEqual(shownBy(new URLSearchParams(addressOf(shown).slice(1))), shown)
  assert.equal(addressOf({ tab: 'open', levels: [], classes: [], area: null }), '')
  assert.equal(shownBy(new URLSearchParams('lang=en')), null)
  assert.deepEqual(shownBy(new URLSearchParams('tab=nonsense&level=huge&class=emergency&area=')), { tab: 'open', levels: [], classes: ['emergency'], area: null })
})

const areaOf = (id: string, parent: string | null, kind: string, name = id): Area => ({ id, parent_id: parent, kind, name, lat: null, lon: null, boundary: null })

test('the tree of areas goes down to the grid, keeps orphans, and is found by what lies above', () => {
  const tree = treeOf([areaOf('G10', 'C', 'grid', '10'), areaOf('G2', 'C', 'grid', '2'), areaOf('C', 'D', 'community', 'Willow'), areaOf('D', null, 'district', 'East'), areaOf('M', 'G2', 'micro_grid'), areaOf('O', 'gone', 'street', 'Orphan'), { ...areaOf('X', 'D', 'street'), active: false }])
  assert.deepEqual(tree.map((one) => [one.id, one.depth]), [['D', 0], ['C', 1], ['G2', 2], ['G10', 2], ['O', 0]])
  assert.deepEqual(placesFor(tree, 'willow').places.map((one) => one.id), ['C', 'G2', 'G10'])
  assert.deepEqual(placesFor(tree, 'nowhere'), { places: [], more: false })
  const many = treeOf([areaOf('C', null, 'community'), ...Array.from({ length: 200 }, (_, n) => areaOf(`g${n}`, 'C', 'grid'))])
  assert.deepEqual(placesFor(many, '').places.map((one) => one.id), ['C'])
  assert.equal(placesFor(many, 'g').more, true)
})

test('banners stand in the designed order: disconnected, silent, no sound, flood, maintenance', () => {
  const holds = (...on: Banner[]) => Object.fromEntries(BANNERS.map((one) => [one, on.includes(one)])) as Record<Banner, boolean>
  const order: Banner[] = ['down', 'stale', 'sound', 'flood', 'maintenance']
  for (const [index, one] of order.entries()) assert.equal(topBanner(holds(...order.slice(index))), one)
  assert.equal(topBanner(holds('database', 'sound')), 'database')
  assert.equal(topBanner(holds('stale', 'journal')), 'stale')
  assert.equal(topBanner(holds()), null)
})

test('a telephone rings beside alarms, never into one, and gives way to a critical one', () => {
  assert.equal(telephoneRings(null, 4000, Infinity), true)
  assert.equal(telephoneRings('high', 4000, 1500), true)
  assert.equal(telephoneRings('high', 4000, 1499), false)
  assert.equal(telephoneRings(null, 3999, Infinity), false)
  assert.equal(telephoneRings('critical', 60_000, 60_000), false)
})
