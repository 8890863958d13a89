import assert from 'node:assert/strict'
import { test } from 'node:test'
import { metresBetween } from '../src/core/geo.ts'
import { circle, corners, polygon, readCorners, writeCorners, type Fence, type Point } from '../src/console/rules/types.ts'

test('round the home by so many metres is that far in every direction', () => {
  const home: Point = [31.3377, 118.3712]
  for (const point of circle(home, 300)) assert.ok(Math.abs(metresBetween(home, point) - 300) < 2, String(metresBetween(home, point)))
})

test('corners are read as people write them, and the bad line is named', () => {
  assert.deepEqual(readCorners('31.3, 118.3\n\n31.4，118.4\n31.5 118.5'), { points: [[31.3, 118.3], [31.4, 118.4], [31.5, 118.5]] })
  assert.deepEqual(readCorners('31.3, 118.3\nhere'), { line: 2 })
  assert.deepEqual(readCorners('131.3, 118.3'), { line: 1 })
  const points: Point[] = [[31.3, 118.3], [31.4, 118.4], [31.5, 118.2]]
  assert.deepEqual(readCorners(writeCorners(points)), { points })
})

test('a ring goes to GeoJSON and comes back', () => {
  const points: Point[] = [[31.3, 118.3], [31.4, 118.4], [31.5, 118.2]]
  const ring = polygon(points)
  assert.deepEqual(ring.coordinates[0]![0], [118.3, 31.3])
  assert.deepEqual(ring.coordinates[0]!.at(-1), [118.3, 31.3])
  assert.deepEqual(corners({ polygon: ring } as Fence), points)
})
