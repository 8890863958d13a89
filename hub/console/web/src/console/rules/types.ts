/** Thresholds and fences of a resident, as the hub tells them. */
export interface Threshold {
  id: string
  kind: 'number' | 'clock' | 'clocks' | 'flag' | 'rules'
  value: unknown
  default: unknown
  unit: string
  zh: string
  en: string
  low: number | null
  high: number | null
  own: boolean
  changed_by: string | null
  changed_at: string | null
  reason: string | null
}

export interface Fence {
  id?: string
  name: string
  kind: 'safe' | 'forbidden'
  polygon: { type: 'Polygon'; coordinates: [number, number][][] }
  days: number[]
  from: string | null
  to: string | null
  slack_m: number
  active: boolean
  changed_by?: string
  changed_at?: string
  reason?: string
}

/** [lat, lon] */
export type Point = [number, number]

const EARTH_M = 6_371_000

/** A ring of so many corners round a place: what "within 300 m of home" means on the map. */
export function circle([lat, lon]: Point, metres: number, corners = 24): Point[] {
  const north = (metres / EARTH_M) * (180 / Math.PI)
  const east = north / Math.cos((lat * Math.PI) / 180)
  return Array.from({ length: corners }, (_, i) => {
    const turn = (2 * Math.PI * i) / corners
    return [+(lat + north * Math.cos(turn)).toFixed(6), +(lon + east * Math.sin(turn)).toFixed(6)]
  })
}

/** `31.3377, 118.3712` a line, as people copy it from a map; null with the number of the line that is none. */
export function readCorners(text: string): { points: Point[] } | { line: number } {
  const points: Point[] = []
  const lines = text.split('\n')
  for (const [at, line] of lines.entries()) {
    if (!line.trim()) continue
    const found = /^\s*(-?\d+(?:\.\d+)?)\s*[,，\s]\s*(-?\d+(?:\.\d+)?)\s*$/.exec(line)
    const lat = Number(found?.[1])
    const lon = Number(found?.[2])
    if (!found || Math.abs(lat) > 90 || Math.abs(lon) > 180) return { line: at + 1 }
    points.push([lat, lon])
  }
  return { points }
}

export function writeCorners(points: readonly Point[]): string {
  return points.map(([lat, lon]) => `${lat.toFixed(6)}, ${lon.toFixed(6)}`).join('\n')
}

/** GeoJSON's ring, longitude first, its first corner repeated, as corners. */
export function corners(fence: Fence): Point[] {
  const ring = (fence.polygon.coordinates[0] ?? []).map(([lon, lat]): Point => [lat, lon])
  const [first, last] = [ring[0], ring.at(-1)]
  return ring.length > 3 && first && last && first[0] === last[0] && first[1] === last[1] ? ring.slice(0, -1) : ring
}

export function polygon(points: readonly Point[]): Fence['polygon'] {
  return { type: 'Polygon', coordinates: [[...points, points[0]!].map(([lat, lon]): [number, number] => [lon, lat])] }
}
