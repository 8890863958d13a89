/** Shapes of the reports on services. */
import type { Named } from '../../core/types.ts'

export interface Definition {
  name: string
  report: 'orders' | 'coverage' | 'continuity' | 'travel' | 'programme'
  zh: string
  en: string
  zh_means: string
  en_means: string
  list: boolean
}
export interface Definitions {
  items: Definition[]
  providers: Named[]
}
interface Grouped {
  group: string
  name: string | null
  name_en?: string | null
}
export interface ServiceRow extends Grouped {
  orders: number
  cancelled: number
  due: number
  served: number
  begun: number
  on_time: number
  early: number
  late_15: number
  late_30: number
  late_60: number
  missed: number
  waiting: number
  aborted: number
  rated: number
  score: number | null
  content: number
  discontent: number
  complaints: number
}
export interface CoverRow extends Grouped {
  entitled: number
  planned: number
  wanted: number
  covered: number
  uncovered: number
  besides: number
}
export interface FaceRow extends Grouped {
  residents: number
  visits: number
  by_regular: number
  by_others: number
  carers: { mean: number; p50: number; p90: number; most: number }
  many: number
}
export interface TravelRow extends Grouped {
  routes: number
  stops: number
  travel_min: number
  service_min: number
  travel_share: number | null
}
export interface ProgrammeRow {
  programme_id: string
  programme: string
  programme_en: string
  area_id: string | null
  area: string | null
  path: string
  people: number
  target: number
  visited: number
  people_visited: number
  not_visited: number
  behind: number
}
export interface Kind {
  id: string
  zh: string
  en: string
}
/** What stands in a list behind a number: an order, a resident, a route, somebody of the programme. */
export interface ListRow {
  order_id?: string
  number?: number
  kind?: string
  state?: string
  resident?: Named
  area?: string | null
  provider?: string | null
  begin_from?: string
  begin_by?: string
  started_at?: string | null
  late_min?: number | null
  score?: number | null
  entitled?: boolean
  planned?: boolean
  served?: boolean
  visits?: number
  carers?: number
  by_regular?: number
  day?: string
  stops?: number
  travel_min?: number
  service_min?: number
}
