export const PURPOSES = ['status', 'health', 'photos'] as const
export type Purpose = (typeof PURPOSES)[number]

export interface Given {
  purpose: Purpose
  since: string
  by: string
  note: string | null
}
export interface ConsentRow {
  resident: { id: string; name: string; status: string; area: { id: string; name: string } | null }
  items: Given[]
}
export type Counts = Record<Purpose | 'residents', number>
