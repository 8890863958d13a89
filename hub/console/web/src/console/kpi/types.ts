export interface Times {
  n: number
  p50: number | null
  p90: number | null
  p95: number | null
  p99: number | null
}
export interface TimesRow {
  group: string
  name: string | null
  n: number
  claim: Times
  dispatch: Times
  arrive: Times
  close: Times
  within_15: number
  within_60: number
  within_180: number
}
export interface LoopRow {
  group: string
  name: string | null
  n: number
  claimed: number
  resolved: number
  review_wanted: number
  review_done: number
  closed: number
  looped: number
}
export interface ModelRow {
  group: string
  family: string
  model: string | null
  incidents: number
  devices: number
  false: number
  judged: number
  worst: string[]
}
export interface LoadRow {
  hour: string
  alarms: number
  incidents: number
  operators: number
  flood_min: number
}
export interface Counts {
  all: number
  claimed: number
  within_15: number
  within_60: number
  within_180: number
  late_60: number
  looped: number
  false: number
  resolved: number
  review: number
  stale: number
  shelved: number
  orders?: number
  orders_done?: number
  orders_begun?: number
  orders_punctual?: number
}
