/** A line of the technical list, and what of the list somebody looks at. */
import type { Incident, Named } from '../../core/types.ts'

export interface Station {
  id: string | null
  name: string | null
  open: number
  done: number
  bad_actors: number
}
export interface Item {
  rank: number
  station: Named | null
  area: Named | null
  device: { id: string; name: string | null; family: string; battery_pct: number | null; last_seen_at: string | null } | null
  resident: { id: string; name: string } | null
  cause: { kind: string; key: string } | null
  incident: Pick<Incident, 'id' | 'number' | 'type' | 'types' | 'opened_at' | 'state' | 'reasons' | 'shelved_until'> & { alarms: number; last_alarm_at: string }
  open: boolean
  silent: number
  alarms_30d: number
  incidents_30d: number
  bad_actor: boolean
  order: { id: string; number: number; state: string } | null
}

export type Look = 'all' | 'battery' | 'chatter'
export const LOW_BATTERY_PCT = 15

/** Chatter: the hub found the same alarm again and again within a minute; a bad actor did so over thirty days. */
export const chatters = (item: Item) => item.incident.reasons.some((one) => one.code === 'chattering')
export const inLook = (item: Item, look: Look) =>
  look === 'all' || (look === 'battery' ? item.device?.battery_pct != null && item.device.battery_pct < LOW_BATTERY_PCT : item.bad_actor || chatters(item))
export const repairable = (item: Item) => item.open && !item.order
