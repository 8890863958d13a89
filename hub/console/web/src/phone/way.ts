/** A link that opens the phone's own maps with a way to there. */
export function wayTo(at: { lat: number | null; lon: number | null } | null, label: string): string {
  const name = encodeURIComponent(label)
  const apple = /iPhone|iPad|iPod/.test(navigator.userAgent)
  if (at && at.lat !== null) return apple ? `https://maps.apple.com/?daddr=${at.lat},${at.lon}&q=${name}` : `geo:${at.lat},${at.lon}?q=${at.lat},${at.lon}(${name})`
  return apple ? `https://maps.apple.com/?daddr=${name}` : `geo:0,0?q=${name}`
}
