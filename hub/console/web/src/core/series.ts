/** Measurements as a chart needs them: gaps stay gaps, and the usual band of the person's own hour lies behind. Pure. */
export interface Point {
  at: string
  value?: number | null
  avg?: number | null
  min?: number | null
  max?: number | null
  n?: number
}

export interface BandHour {
  hour: number
  low: number
  mid: number
  high: number
  n: number
}

export interface Series {
  /** Seconds since 1970, rising. */
  x: number[]
  value: (number | null)[]
  low: (number | null)[]
  high: (number | null)[]
  usualLow: (number | null)[]
  usualHigh: (number | null)[]
  /** [from, to] in seconds, where nothing was measured. */
  gaps: [number, number][]
}

/** Fewer values an hour than this say nothing of what is usual. */
const ENOUGH = 3
const LEAST_GAP_S = 1800

/** How long nothing may come before it is a gap: three times what is usual for this device, half an hour at least. */
export function gapAfter(xs: readonly number[], binS: number): number {
  if (binS > 0) return Math.max(binS * 1.5, 1)
  const steps = xs.slice(1).map((x, i) => x - xs[i]!).sort((a, b) => a - b)
  return Math.max(LEAST_GAP_S, 3 * (steps[Math.floor(steps.length / 2)] ?? 0))
}

/** `hourOf` gives the hour of the hub's day for a moment (ms); `from` and `to` are the span asked for, in ms. */
export function seriesOf(points: readonly Point[], band: readonly BandHour[], binS: number, from: number, to: number, hourOf: (ms: number) => number): Series {
  const rows = points
    .map((p) => ({ x: Date.parse(p.at) / 1000, value: p.value ?? p.avg ?? null, low: p.min ?? null, high: p.max ?? null }))
    .filter((p) => Number.isFinite(p.x) && p.value !== null)
    .sort((a, b) => a.x - b.x)
  const usual = new Map(band.filter((one) => one.n >= ENOUGH).map((one) => [one.hour, one]))
  const out: Series = { x: [], value: [], low: [], high: [], usualLow: [], usualHigh: [], gaps: [] }
  const limit = gapAfter(rows.map((r) => r.x), binS)
  const put = (x: number, value: number | null, low: number | null, high: number | null) => {
    const hour = usual.get(hourOf(x * 1000))
    out.x.push(x)
    out.value.push(value)
    out.low.push(low)
    out.high.push(high)
    out.usualLow.push(hour?.low ?? null)
    out.usualHigh.push(hour?.high ?? null)
  }
  /** The band goes on through a gap, hour by hour: what would have been usual is known also where nothing was measured. */
  const fill = (start: number, end: number) => {
    out.gaps.push([start, end])
    for (let x = (Math.floor(start / 3600) + 1) * 3600; x < end; x += 3600) if (x > start) put(x, null, null, null)
  }
  let last = from / 1000
  if (rows.length && rows[0]!.x - last > limit) put(last, null, null, null)
  for (const row of rows) {
    if (row.x - last > limit) {
      if (out.x.length && row.x - last > 2) put(last + 1, null, null, null)
      fill(last + 1, row.x)
    }
    if (out.x.length && row.x <= out.x[out.x.length - 1]!) continue
    put(row.x, row.value, row.low, row.high)
    last = row.x
  }
  const end = to / 1000
  if (end - last > limit) {
    put(last + 1, null, null, null)
    fill(last + 1, end)
    put(end, null, null, null)
  }
  return out
}

export function summaryOf(series: Series): { last: number; min: number; median: number; max: number; n: number } | null {
  const values = series.value.filter((v): v is number => v !== null)
  if (!values.length) return null
  const sorted = [...values].sort((a, b) => a - b)
  return { last: values[values.length - 1]!, min: sorted[0]!, median: sorted[Math.floor(sorted.length / 2)]!, max: sorted[sorted.length - 1]!, n: values.length }
}
