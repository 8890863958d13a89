/** What the pages of a device's life read and write. */
import type { Device } from '../../core/types.ts'

export interface Profile {
  id: string
  family: string
  zh: string
  en: string
  model: string | null
  interval_s: number | null
  silence: Record<string, unknown>
  reading: Record<string, unknown>
  setup: { zh: string; en: string; value?: string | null }[]
  note: string | null
  built_in: boolean
  edited: boolean
  devices: number
  version: number
}

/** A credential, told once. */
export interface Told {
  id: string
  family: string
  name: string | null
  secret: string
}

/** One device as its page has it. */
export interface FullDevice extends Device {
  capabilities?: string[]
  upstream: string | null
  revoked_at: string | null
  adopted: boolean
  profile_id: string
  charging: boolean | null
  clock_skew_s: number | null
  silent_since: string | null
  silence: string | null
  silence_incident_id: string | null
  conflict: { kind: 'two_addresses' | 'second_id'; addresses: string[]; first_at: string; last_at: string; times: number } | null
  version: number
}

export interface Added {
  device: Device
  secret: string | null
}

/** What `/devices/file` made of a file. */
export interface FileRead {
  rows: { line: number; sheet: string | null; id: string; family: string; name: string | null; resident_id: string | null; area_id: string | null; profile_id: string | null; does: 'add' | 'change' }[]
  refused: { line: number; sheet: string | null; reason: string; cells: Record<string, string> }[]
  not_understood: string[]
  taken: boolean
  written: number
  secrets: Told[]
}

/** What became of a new device's earlier messages. */
export interface Retaken {
  taken: number
  refused: { id: number; reason: string }[]
  more: boolean
}

/** The roles that keep the register; the hub decides. */
export const KEEPERS = ['coordinator', 'supervisor', 'admin']
