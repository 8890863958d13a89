import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gcj02ToWgs84, inChina, wgs84ToGcj02 } from '../src/core/gcj02.ts'

/** From the hub's own conversion (devices/geo.py): WGS-84, then GCJ-02. */
const KNOWN = [[31.33, 118.38, 31.32815056278293, 118.38540727337768], [39.9042, 116.4074, 39.90560334316507, 116.41364225378803], [22.5, 113.9, 22.496945031454228, 113.90486389528537], [43.8, 87.6, 43.80121203029208, 87.60283897227161]]

test('the page moves positions as the hub does', () => {
  for (const [lat, lon, gLat, gLon] of KNOWN) {
    const [a, b] = wgs84ToGcj02(lat!, lon!)
    assert.ok(Math.abs(a - gLat!) < 1e-9 && Math.abs(b - gLon!) < 1e-9)
    const [c, d] = gcj02ToWgs84(gLat!, gLon!)
    assert.ok(Math.abs(c - lat!) < 1e-8 && Math.abs(d - lon!) < 1e-8)
  }
})

test('at Wuhu the shift is half a kilometre to the east, two hundred metres to the south; abroad there is none', () => {
  const [lat, lon] = wgs84ToGcj02(31.33, 118.38)
  assert.ok(Math.abs((lon - 118.38) * 95_000 - 514) < 15)
  assert.ok(Math.abs((lat - 31.33) * 111_320 + 205) < 15)
  assert.equal(inChina(52.5, 13.4), false)
  assert.deepEqual(wgs84ToGcj02(52.5, 13.4), [52.5, 13.4])
  assert.deepEqual(gcj02ToWgs84(52.5, 13.4), [52.5, 13.4])
})
