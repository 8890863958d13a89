/** WGS-84 and GCJ-02, the datum of Chinese base maps; the same closed formula as devices/geo.py. Pure. */
const AXIS_M = 6378245
const ECCENTRICITY_SQUARED = 0.00669342162296594323
const { PI, abs, cos, sin, sqrt } = Math

export function inChina(lat: number, lon: number): boolean {
  return lat >= 0.8293 && lat <= 55.8271 && lon >= 72.004 && lon <= 137.8347
}

export function wgs84ToGcj02(lat: number, lon: number): [number, number] {
  if (!inChina(lat, lon)) return [lat, lon]
  const x = lon - 105
  const y = lat - 35
  const root = sqrt(abs(x))
  const waves = ((20 * sin(6 * x * PI) + 20 * sin(2 * x * PI)) * 2) / 3
  let north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + waves
  north += ((20 * sin(y * PI) + 40 * sin((y / 3) * PI)) * 2) / 3
  north += ((160 * sin((y / 12) * PI) + 320 * sin((y * PI) / 30)) * 2) / 3
  let east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + waves
  east += ((20 * sin(x * PI) + 40 * sin((x / 3) * PI)) * 2) / 3
  east += ((150 * sin((x / 12) * PI) + 300 * sin((x / 30) * PI)) * 2) / 3
  const phi = (lat / 180) * PI
  const flat = 1 - ECCENTRICITY_SQUARED * sin(phi) ** 2
  const meridian = (AXIS_M * (1 - ECCENTRICITY_SQUARED)) / (flat * sqrt(flat))
  const parallel = (AXIS_M / sqrt(flat)) * cos(phi)
  return [lat + (north * 180) / (meridian * PI), lon + (east * 180) / (parallel * PI)]
}

/** The inverse by the forward formula: four rounds leave far less than a millimetre. */
export function gcj02ToWgs84(lat: number, lon: number): [number, number] {
  if (!inChina(lat, lon)) return [lat, lon]
  let [a, b] = [lat, lon]
  for (let round = 0; round < 4; round++) {
    const [la, lo] = wgs84ToGcj02(a, b)
    a += lat - la
    b += lon - lo
  }
  return [a, b]
}
