/** Rings for the map. Pure. */
const MOST_CORNERS = 200

/** The outer ring of an area as `[lat, lon]`, thinned to what the hub takes; null where it has none. */
export function ringOf(boundary: { type: string; coordinates: unknown } | null): [number, number][] | null {
  if (!boundary) return null
  const outer = boundary.type === 'Polygon' ? (boundary.coordinates as number[][][])[0] : boundary.type === 'MultiPolygon' ? [...(boundary.coordinates as number[][][][])].sort((a, b) => (b[0]?.length ?? 0) - (a[0]?.length ?? 0))[0]?.[0] : undefined
  if (!outer || outer.length < 4) return null
  const open = outer.slice(0, -1)
  const every = Math.ceil(open.length / MOST_CORNERS)
  return open.filter((_, index) => index % every === 0).map(([lon, lat]) => [lat!, lon!])
}
