/** What stands behind a number of the supervisor's pages: where its rows come from, and the columns they are shown in. */
import { clockTime, shortTime, span } from '../../core/clock.ts'
import { t, word } from '../../core/i18n.ts'
import { placeOf } from '../../core/order.ts'
import type { Device, Incident, Named, Priority, Responder } from '../../core/types.ts'
import { nameOf } from '../actions.ts'
import { stations } from '../store.ts'
import { kindName } from '../wording.ts'

/** Seconds from the opening; null where that link was never reached. */
type Times = Record<'claim_s' | 'dispatch_s' | 'arrive_s' | 'close_s', number | null>

/** A row of any of the lists: which parts it has depends on where it comes from. */
export interface Row {
  id?: string
  number?: number
  priority?: Priority
  state?: string
  type?: string
  times?: Times
  at?: string
  incident?: number
  incident_id?: string
  device?: { id: string; name: string | null } | null
  resident?: Named | null
  area?: string | null
  seat?: Named | string | null
  home?: string | null
  rule?: string
  hour?: string
  alarms?: number
  operators?: number
  flood_min?: number
  group?: string
  user?: Named
  last_10_min?: number
  last_hour?: number
  duty_h?: number
  rings?: number
  spilled_out?: number
  order_id?: string
  kind?: string
  provider?: string | null
  begin_from?: string
  begin_by?: string
  started_at?: string | null
  late_min?: number | null
}

export interface Column {
  head: string
  text: (row: Row) => string
  href?: (row: Row) => string | null
  /** Shown as a level, with its shape and word. */
  level?: boolean
  num?: boolean
}

export interface Source {
  path: string
  /** Whether the hub gives the rows page by page. */
  paged: boolean
  /** What the hub is asked beside span and scope. */
  more: Record<string, string>
  columns: Column[]
  /** A register's own list: it knows no span and gives no file. */
  register?: true
}

export const seconds = (value: number | null | undefined) => (value === null || value === undefined ? '–' : value < 100 ? `${Math.round(value)} s` : span(value * 1000))
const incidentHref = (id: string | undefined) => (id ? `#/alarms/${encodeURIComponent(id)}` : null)
const asIncident = (row: Row) => row as unknown as Incident
const residentColumn: Column = { head: 'queue.col.who', text: (row) => row.resident?.name ?? '', href: (row) => (row.resident ? `#/residents/${encodeURIComponent(row.resident.id)}` : null) }
const levelColumn: Column = { head: 'queue.col.level', text: () => '', level: true }
const areaColumn: Column = { head: 'queue.col.place', text: (row) => row.area ?? '' }
const toIncident: Column = { head: 'queue.col.type', text: (row) => (row.incident ? `${word('type', row.type)} #${row.incident}` : word('type', row.type)), href: (row) => incidentHref(row.incident_id) }

const INCIDENTS: Column[] = [
  levelColumn,
  { head: 'queue.col.type', text: (row) => `${word('type', row.type)} #${row.number}`, href: (row) => incidentHref(row.id) },
  { head: 'queue.col.who', text: (row) => nameOf(asIncident(row)) },
  { head: 'queue.col.place', text: (row) => placeOf(asIncident(row)) },
  { head: 'kpi.opened', text: (row) => shortTime(asIncident(row).opened_at), num: true },
]
const STATE: Column = { head: 'queue.col.state', text: (row) => word('disposition', asIncident(row).disposition, t(`state.${row.state}`)) }
const TIMES: Column[] = (['claim', 'dispatch', 'arrive', 'close'] as const).map((link) => ({ head: `kpi.link.${link}`, text: (row) => seconds(row.times?.[`${link}_s`]), num: true }))
const UNTIL: Column = { head: 'kpi.until', text: (row) => clockTime(asIncident(row).shelved_until), num: true }

const ORDERS: Column[] = [
  { head: 'kpi.order', text: (row) => `${kindName(row.kind ?? '')} #${row.number}`, href: (row) => (row.order_id ? `#/orders/${encodeURIComponent(row.order_id)}` : null) },
  residentColumn,
  areaColumn,
  { head: 'kpi.window', text: (row) => `${shortTime(row.begin_from)}–${clockTime(row.begin_by)}`, num: true },
  { head: 'kpi.begun', text: (row) => (row.started_at ? shortTime(row.started_at) : '–'), num: true },
  { head: 'kpi.late_by', text: (row) => (row.late_min ? t('unit.minutes', { n: row.late_min }) : ''), num: true },
  { head: 'queue.col.state', text: (row) => word('order', row.state, row.state) },
]
const ALARMS: Column[] = [
  levelColumn,
  toIncident,
  { head: 'kpi.device', text: (row) => row.device?.name ?? row.device?.id ?? '', href: (row) => (row.device ? `#/devices/${encodeURIComponent(row.device.id)}` : null) },
  residentColumn,
  areaColumn,
  { head: 'kpi.received', text: (row) => shortTime(row.at), num: true },
]
const nameOfSeat = (seat: Row['seat']) => (typeof seat === 'string' ? seat : (seat?.name ?? t('kpi.no_seat')))
const RINGS: Column[] = [levelColumn, toIncident, residentColumn, areaColumn, { head: 'kpi.seat', text: (row) => nameOfSeat(row.seat) }, { head: 'kpi.rang', text: (row) => shortTime(row.at), num: true }]
const SPILLED: Column[] = [levelColumn, toIncident, { head: 'kpi.home', text: (row) => row.home ?? '' }, { head: 'kpi.seat', text: (row) => nameOfSeat(row.seat) }, { head: 'kpi.moved', text: (row) => shortTime(row.at), num: true }]
const SEATS: Column[] = [
  { head: 'kpi.seat', text: (row) => row.group ?? '' },
  { head: 'kpi.duty_h', text: (row) => String(row.duty_h ?? 0), num: true },
  { head: 'kpi.flood_minutes', text: (row) => String(row.flood_min ?? 0), num: true },
]
const ON_DUTY: Column[] = [
  { head: 'kpi.seat', text: (row) => row.user?.name ?? '' },
  { head: 'load.last_10', text: (row) => String(row.last_10_min ?? 0), num: true },
  { head: 'load.last_hour', text: (row) => String(row.last_hour ?? 0), num: true },
  { head: 'load.state', text: (row) => t(`load.state.${row.state}`) },
]
const asResponder = (row: Row) => row as unknown as Responder & { station_id: string | null }
const AT_WORK: Column[] = [
  { head: 'kpi.person', text: (row) => asResponder(row).name },
  { head: 'kpi.post', text: (row) => word('responder', row.kind, row.kind) },
  { head: 'kpi.station', text: (row) => stations.value.find((one) => one.id === asResponder(row).station_id)?.name ?? '' },
  { head: 'kpi.position', text: (row) => (asResponder(row).position_at ? shortTime(asResponder(row).position_at) : '–'), num: true },
]
const asDevice = (row: Row) => row as unknown as Device
const DEVICES: Column[] = [
  { head: 'kpi.device', text: (row) => asDevice(row).name ?? row.id ?? '', href: (row) => `#/devices/${encodeURIComponent(row.id ?? '')}` },
  { head: 'kpi.family', text: (row) => word('family', asDevice(row).family) },
  residentColumn,
  { head: 'kpi.online', text: (row) => t(asDevice(row).online ? 'device.online' : 'device.offline') },
  { head: 'kpi.seen', text: (row) => (asDevice(row).last_seen_at ? shortTime(asDevice(row).last_seen_at) : '–'), num: true },
]
const IN_USE = { adopted: 'true', revoked: 'false' }
const anHour = (row: Row) => ({ from: row.hour!, to: new Date(new Date(row.hour!).getTime() + 3_600_000).toISOString() })

/** The hours of a span; each number of an hour opens its alarms. `first`, `last`: the span itself, which may begin amid an hour. */
function hours(first: string, last: string, scope: Record<string, string>): Column[] {
  const within = (row: Row) => {
    const { from, to } = anHour(row)
    return { from: new Date(from) < new Date(first) ? first : from, to: new Date(to) > new Date(last) ? last : to }
  }
  return [
    { head: 'kpi.hour', text: (row) => shortTime(row.hour), num: true },
    { head: 'kpi.all', text: (row) => String(row.alarms ?? 0), href: (row) => `#/supervision/list?${new URLSearchParams({ ...scope, number: 'alarms', ...within(row) })}`, num: true },
    { head: 'kpi.operators', text: (row) => String(row.operators ?? 0), num: true },
    { head: 'kpi.busiest', text: (row) => ((row.alarms ?? 0) / Math.max(1, row.operators ?? 0)).toFixed(1), num: true },
    { head: 'kpi.flood_minutes', text: (row) => String(row.flood_min ?? 0), num: true },
  ]
}

const STANDING = new Set(['live', 'stale', 'stale_technical', 'shelved', 'chattering'])

/** Where the rows of a number come from; `page` because several pages have numbers of the same name. */
export function sourceOf(page: string, number: string, asked: Record<string, string>): Source {
  if (number === 'alarms') return { path: '/reports/alarms', paged: true, more: {}, columns: ALARMS }
  if (page === 'wall') {
    if (number === 'on_duty') return { path: '/responders', paged: true, more: { on_duty: 'true' }, columns: AT_WORK, register: true }
    if (number === 'online' || number === 'devices') return { path: '/devices', paged: true, more: number === 'online' ? { ...IN_USE, online: 'true' } : IN_USE, columns: DEVICES, register: true }
    return { path: '/load/incidents', paged: true, more: { number }, columns: [...INCIDENTS, STATE] }
  }
  if (page === 'load') {
    if (number === 'rings') return { path: '/load/rings', paged: true, more: {}, columns: RINGS }
    if (number === 'spilled') return { path: '/load/spilled', paged: true, more: {}, columns: SPILLED }
    if (number === 'on_duty' || number === 'floods') return { path: '/load/on-duty', paged: false, more: number === 'floods' ? { flooded: 'true' } : {}, columns: ON_DUTY }
    if (number === 'seats') return { path: '/reports/operator-load', paged: false, more: { by: 'seat' }, columns: SEATS }
    if (STANDING.has(number)) return { path: '/load/incidents', paged: true, more: { number }, columns: number === 'shelved' ? [...INCIDENTS, UNTIL, STATE] : [...INCIDENTS, STATE] }
  }
  if (number === 'hours' || number === 'flood') {
    const scope = Object.fromEntries(['area', 'priority', 'days', 'split', 'loop'].flatMap((name) => (asked[name] ? [[name, asked[name]]] : [])))
    return { path: '/reports/load', paged: false, more: number === 'flood' ? { flooded: 'true' } : {}, columns: hours(asked.from ?? '', asked.to ?? '', scope) }
  }
  if (number.startsWith('orders')) return { path: '/reports/orders', paged: true, more: { number }, columns: ORDERS }
  return { path: '/reports/incidents', paged: true, more: { number }, columns: number === 'shelved' ? [...INCIDENTS, UNTIL, STATE] : [...INCIDENTS, ...TIMES, STATE] }
}

/** A group's name where its code is one of the console's words: a level, a type; else null. */
export function groupWord(by: string, group: string): string | null {
  if (by === 'priority') return word('level', group)
  if (by === 'type') return word('type', group)
  if (by === 'model') return group.replace(/^([^|]*)\|(.*)$/, (_all, family: string, model: string) => `${word('family', family)} ${model}`.trim())
  return group === '' ? t('kpi.no_area') : null
}
