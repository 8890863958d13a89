export const RESULTS = ['well', 'needs_help', 'not_home', 'in_hospital', 'moved'] as const
export type Result = (typeof RESULTS)[number]
export const RISKS = ['high', 'medium', 'low'] as const
export type Risk = (typeof RISKS)[number]

export interface Group {
  id: string
  zh: string
  en: string
}
export interface Programme {
  id: string
  zh: string
  en: string
  kind: string
  groups: string[]
  area_ids: string[]
  per_month: Partial<Record<Risk, number>>
  makes: 'orders' | 'targets'
  begins: string
  ends: string
  active: boolean
  version: number
}
export interface Coverage {
  area_id: string | null
  area: string | null
  path: string
  people: number
  high: number
  target: number
  visited: number
  people_visited: number
  not_visited: number
  behind: number
  absent: number
  needs_help: number
}
export interface Participant {
  resident: { id: string; name: string; status: string; address: string | null; phone: string | null }
  area_id: string | null
  groups: string[]
  risk: Risk
  stands: 'in' | 'out' | null
  target: number
  visited: number
  pending: boolean
  behind: boolean
  last_result: Result | null
  last_at: string | null
}
