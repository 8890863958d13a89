import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gapAfter, seriesOf, summaryOf } from '../src/core/series.ts'

const T = Date.parse('2026-11-22T00:00:00Z')
const at = (minutes: number) => new Date(T + minutes * 60_000).toISOString()
const hourOf = (ms: number) => new Date(ms).getUTCHours()
const every10 = (from: number, to: number) => Array.from({ length: (to - from) / 10 }, (_, i) => ({ at: at(from + i * 10), value: 70 + i }))

test('a pause three times the usual step, and half an hour at least, is a gap', () => {
  assert.equal(gapAfter([0, 60, 120, 180], 0), 1800)
  assert.equal(gapAfter([0, 3600, 7200], 0), 10800)
  assert.equal(gapAfter([], 300), 450)
})

test('a gap breaks the line; the usual band goes on through it', () => {
  const band = Array.from({ length: 24 }, (_, hour) => ({ hour, low: 55, mid: 65, high: 80, n: hour === 4 ? 1 : 20 }))
  const s = seriesOf([...every10(0, 60), ...every10(360, 420)], band, 0, T, T + 420 * 60_000, hourOf)
  assert.equal(s.gaps.length, 1)
  const inside = s.x.map((x, i) => [x - T / 1000, s.value[i], s.usualHigh[i]] as const).filter(([x]) => x > 3000 && x < 21_600)
  assert.ok(inside.length > 3 && inside.every(([, value]) => value === null))
  assert.ok(inside.some(([, , high]) => high === 80))
  assert.ok(inside.some(([, , high]) => high === null), 'one value an hour says nothing of what is usual')
  assert.ok(s.x.every((x, i) => i === 0 || x > s.x[i - 1]!), 'rising')
  assert.deepEqual(summaryOf(s), { last: 75, min: 70, median: 73, max: 75, n: 12 })
})

test('nothing measured at the end and at the beginning is a gap too', () => {
  const s = seriesOf(every10(600, 660), [], 0, T, T + 1440 * 60_000, hourOf)
  assert.deepEqual(s.gaps.map(([a, b]) => [Math.round((a - T / 1000) / 60), Math.round((b - T / 1000) / 60)]), [[0, 600], [650, 1440]])
})

test('bins keep their spread, doubles and nonsense are left out, emptiness stays empty', () => {
  const s = seriesOf([{ at: at(0), avg: 70, min: 60, max: 90, n: 5 }, { at: at(0), avg: 71 }, { at: 'x', value: 1 }, { at: at(60), value: null }], [], 3600, T, T + 3_600_000, hourOf)
  assert.deepEqual([s.x.length, s.low[0], s.high[0]], [1, 60, 90])
  const none = seriesOf([], [], 0, T, T + 3_600_000, hourOf)
  assert.equal(summaryOf(none), null)
  assert.equal(none.gaps.length, 1)
})
