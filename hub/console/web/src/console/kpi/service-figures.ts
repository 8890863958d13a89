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
  /** The number whose list opens, and how many rows it has. */
  list: string
  n: number
  /** Where the number is a share: of what, and how many these are. */
  of?: { list: string; n: number }
  bad?: boolean
}
export type Section = 'punctual' | 'coverage' | 'continuity' | 'travel' | 'satisfaction'

/** `12.5 %`; a dash where there is nothing to take a share of. */
export function share(part: number | null | undefined, of: number | null | undefined): string {
  return part === null || part === undefined || !of ? '–' : `${Math.round((1000 * part) / of) / 10} %`
}

const counted = (code: string, n: number | undefined, bad = false): Tile => ({ code, value: String(n ?? 0), list: code, n: n ?? 0, bad })
const part = (code: string, n: number | undefined, whole: string, of: number | undefined): Tile => ({ code, value: share(n, of), list: code, n: n ?? 0, of: { list: whole, n: of ?? 0 } })
/** What is no count of rows: the rows behind it, with their values. */
const behind = (code: string, value: string, list: string, n: number | undefined): Tile => ({ code, value, list, n: n ?? 0 })

export function tilesOf({ orders: o, cover: c, faces: f, travel: v }: Figures): Record<Section, Tile[]> {
  return {
    punctual: [
      counted('orders', o?.orders),
      part('served', o?.served, 'orders', o?.orders),
      part('on_time', o?.on_time, 'begun', o?.begun),
      counted('late_15', o?.late_15),
      counted('late_30', o?.late_30, !!o?.late_30),
      counted('late_60', o?.late_60, !!o?.late_60),
      counted('missed', o?.missed, !!o?.missed),
      counted('waiting', o?.waiting, !!o?.waiting),
      counted('early', o?.early),
      counted('aborted', o?.aborted),
    ],
    coverage: [
      counted('entitled', c?.entitled),
      counted('planned', c?.planned),
      part('covered', c?.covered, 'wanted', c?.wanted),
      counted('uncovered', c?.uncovered, !!c?.uncovered),
      counted('besides', c?.besides),
    ],
    continuity: [
      behind('by_regular', share(f?.by_regular, f?.visits), 'repeated', f?.residents),
      behind('carers', f ? `${f.carers.mean} / ${f.carers.p50} / ${Math.round(f.carers.p90 * 10) / 10}` : '–', 'repeated', f?.residents),
      counted('repeated', f?.residents),
      counted('by_others', f?.by_others),
      counted('many', f?.many, !!f?.many),
    ],
    travel: [behind('travel_share', v?.travel_share === null || v === null ? '–' : `${Math.round(v.travel_share * 1000) / 10} %`, 'routes', v?.routes), counted('routes', v?.routes)],
    satisfaction: [
      behind('score', o?.score === null || !o ? '–' : o.score.toFixed(1), 'rated', o?.rated),
      part('content', o?.content, 'rated', o?.rated),
      counted('rated', o?.rated),
      counted('discontent', o?.discontent, !!o?.discontent),
      counted('complaints', o?.complaints, !!o?.complaints),
    ],
  }
}

const ORDERS = new Set(['orders', 'cancelled', 'due', 'served', 'aborted', 'begun', 'early', 'on_time', 'late_15', 'late_30', 'late_60', 'missed', 'waiting', 'rated', 'content', 'discontent', 'complaints'])

/** Where the list of a number comes from. */
export function sourceOf(number: string): 'orders' | 'residents' | 'routes' {
  return number === 'routes' ? 'routes' : ORDERS.has(number) ? 'orders' : 'residents'
}
