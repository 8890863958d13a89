/** What the tiles show of the reports: which numbers, of what they are a share, and when one is bad. */
import type { CoverRow, FaceRow, ServiceRow, TravelRow } from './service-types.ts'

export interface Figures {
  orders: ServiceRow | null
  cover: CoverRow | null
  faces: FaceRow | null
  travel: TravelRow | null
}
export interface Tile {
  code: string
  value: string
  /** The number whose list opens; null: none does. */
  list: string | null
  bad?: boolean
}
export type Section = 'punctual' | 'coverage' | 'continuity' | 'travel' | 'satisfaction'

/** `12.5 %`; a dash where there is nothing to take a share of. */
export function share(part: number | null | undefined, of: number | null | undefined): string {
  return part === null || part === undefined || !of ? '–' : `${Math.round((1000 * part) / of) / 10} %`
}

const count = (value: number | undefined) => String(value ?? 0)

export function tilesOf({ orders: o, cover: c, faces: f, travel: v }: Figures): Record<Section, Tile[]> {
  return {
    punctual: [
      { code: 'orders', value: count(o?.orders), list: 'orders' },
      { code: 'served', value: share(o?.served, o?.orders), list: 'served' },
      { code: 'on_time', value: share(o?.on_time, o?.begun), list: 'on_time' },
      { code: 'late_15', value: count(o?.late_15), list: 'late_15' },
      { code: 'late_30', value: count(o?.late_30), list: 'late_30', bad: !!o?.late_30 },
      { code: 'late_60', value: count(o?.late_60), list: 'late_60', bad: !!o?.late_60 },
      { code: 'missed', value: count(o?.missed), list: 'missed', bad: !!o?.missed },
      { code: 'waiting', value: count(o?.waiting), list: 'waiting', bad: !!o?.waiting },
      { code: 'early', value: count(o?.early), list: 'early' },
      { code: 'aborted', value: count(o?.aborted), list: 'aborted' },
    ],
    coverage: [
      { code: 'entitled', value: count(c?.entitled), list: 'entitled' },
      { code: 'planned', value: count(c?.planned), list: 'planned' },
      { code: 'covered', value: share(c?.covered, c?.wanted), list: 'covered' },
      { code: 'uncovered', value: count(c?.uncovered), list: 'uncovered', bad: !!c?.uncovered },
      { code: 'besides', value: count(c?.besides), list: 'besides' },
    ],
    continuity: [
      { code: 'by_regular', value: share(f?.by_regular, f?.visits), list: null },
      { code: 'carers', value: f ? `${f.carers.mean} / ${f.carers.p50} / ${Math.round(f.carers.p90 * 10) / 10}` : '–', list: null },
      { code: 'repeated', value: count(f?.residents), list: 'repeated' },
      { code: 'by_others', value: count(f?.by_others), list: 'by_others' },
      { code: 'many', value: count(f?.many), list: 'many', bad: !!f?.many },
    ],
    travel: [
      { code: 'travel_share', value: v?.travel_share === null || v === null ? '–' : `${Math.round(v.travel_share * 1000) / 10} %`, list: 'routes' },
      { code: 'routes', value: count(v?.routes), list: 'routes' },
    ],
    satisfaction: [
      { code: 'score', value: o?.score === null || !o ? '–' : o.score.toFixed(1), list: null },
      { code: 'content', value: share(o?.content, o?.rated), list: 'content' },
      { code: 'rated', value: count(o?.rated), list: 'rated' },
      { code: 'discontent', value: count(o?.discontent), list: 'discontent', bad: !!o?.discontent },
      { code: 'complaints', value: count(o?.complaints), list: 'complaints', bad: !!o?.complaints },
    ],
  }
}

const ORDERS = new Set(['orders', 'cancelled', 'due', 'served', 'aborted', 'begun', 'early', 'on_time', 'late_15', 'late_30', 'late_60', 'missed', 'waiting', 'rated', 'content', 'discontent', 'complaints'])

/** Where the list of a number comes from. */
export function sourceOf(number: string): 'orders' | 'residents' | 'routes' {
  return number === 'routes' ? 'routes' : ORDERS.has(number) ? 'orders' : 'residents'
}
