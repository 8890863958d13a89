/** The week as a grid: a row for each role and area, a column for each day. Pure: what begins on a day stands in its column. */
import type { Board, Duty, Gap } from './types.ts'

export interface Cell {
  day: string
  duties: Duty[]
  gaps: Gap[]
}
export interface Row {
  key: string
  role: string
  /** One area; null: everywhere, or several (named in the duty). */
  area: string | null
  cells: Cell[]
  gaps: number
}

const rowKey = (role: string, area: string | null) => `${role}|${area ?? ''}`
const areaOf = (duty: Duty) => (duty.area_ids.length === 1 ? duty.area_ids[0]! : null)

/** `dayOf` gives the day of a moment in the hub's zone. What began before the first day stands in the first column. */
export function gridOf(board: Board, dayOf: (at: string) => string, named: (role: string, area: string | null) => string): Row[] {
  const days = board.days.map((one) => one.day)
  const rows = new Map<string, Row>()
  const cellOf = (role: string, area: string | null, at: string): Cell | null => {
    const key = rowKey(role, area)
    let row = rows.get(key)
    if (!row) rows.set(key, (row = { key, role, area, cells: days.map((day) => ({ day, duties: [], gaps: [] })), gaps: 0 }))
    const day = dayOf(at)
    return row.cells[day < days[0]! ? 0 : days.indexOf(day)] ?? null
  }
  for (const duty of board.duties) cellOf(duty.role, areaOf(duty), duty.starts_at)?.duties.push(duty)
  for (const gap of board.gaps) {
    const cell = cellOf(gap.role, gap.area_id, gap.starts_at)
    if (!cell) continue
    cell.gaps.push(gap)
    rows.get(rowKey(gap.role, gap.area_id))!.gaps += 1
  }
  const name = (row: Row) => named(row.role, row.area)
  return [...rows.values()].sort((one, other) => name(one).localeCompare(name(other), 'zh') || one.key.localeCompare(other.key))
}

/** The next cell with a gap after (row, column), round and round; null: there is none. */
export function nextGap(rows: readonly Row[], row: number, column: number): [number, number] | null {
  const width = rows[0]?.cells.length ?? 0
  const all = rows.length * width
  for (let step = 1; step <= all; step += 1) {
    const at = (row * width + column + step) % all
    if (rows[Math.floor(at / width)]!.cells[at % width]!.gaps.length) return [Math.floor(at / width), at % width]
  }
  return null
}

/** `2026-11-23` some days on: a calendar's day, without any clock. */
export function addDays(day: string, by: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + by * 86_400_000).toISOString().slice(0, 10)
}

/** The Monday of its week. */
export function mondayOf(day: string): string {
  return addDays(day, -((new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7))
}
