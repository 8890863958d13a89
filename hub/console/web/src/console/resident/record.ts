/** A resident's record as a form's texts, and what of it was changed: only that is sent, so nobody undoes another's work. */

export interface RecordOf {
  id: string
  name: string
  id_number?: string | null
  sex?: 'f' | 'm' | null
  born_on?: string | null
  phone?: string | null
  address?: string | null
  area?: { id: string; name: string } | null
  lat: number | null
  lon: number | null
  lives_alone?: boolean
  served?: boolean
  ability_level?: string | number | null
  conditions?: string[] | string | null
  medications?: string[] | string | null
  allergies?: string[] | string | null
  languages?: string[] | string | null
  hearing?: string | null
  flags?: string[] | null
  access?: object | null
  notes?: string | null
  masked?: string[]
  version: number
}

export interface Form {
  id: string
  name: string
  id_number: string
  sex: string
  born_on: string
  phone: string
  address: string
  area_id: string
  lat: string
  lon: string
  lives_alone: boolean
  served: boolean
  ability_level: string
  conditions: string
  medications: string
  allergies: string
  languages: string[]
  hearing: string
  flags: string
  gate: string
  lift: string
  key_with: string
  door_note: string
  notes: string
}

export const LISTS = ['conditions', 'medications', 'allergies', 'flags'] as const
export const DOOR = ['gate', 'lift', 'key_with', 'door_note'] as const
const PLAIN = ['name', 'id_number', 'sex', 'born_on', 'phone', 'address', 'area_id', 'hearing', 'notes'] as const

const listText = (value: string[] | string | null | undefined) => (Array.isArray(value) ? value.join('、') : (value ?? ''))
export const listOf = (text: string) => text.split(/[、，,;；\n]/).map((one) => one.trim()).filter(Boolean)

export function formOf(was: RecordOf | null): Form {
  const door = (was?.access ?? {}) as Record<string, unknown>
  const doorText = (name: string) => (door[name] === null || door[name] === undefined ? '' : String(door[name]))
  return {
    id: '',
    name: was?.name ?? '',
    id_number: was?.id_number ?? '',
    sex: was?.sex ?? '',
    born_on: was?.born_on ?? '',
    phone: was?.phone ?? '',
    address: was?.address ?? '',
    area_id: was?.area?.id ?? '',
    lat: was?.lat === null || was?.lat === undefined ? '' : String(was.lat),
    lon: was?.lon === null || was?.lon === undefined ? '' : String(was.lon),
    lives_alone: was?.lives_alone ?? false,
    served: was?.served ?? true,
    ability_level: was?.ability_level === null || was?.ability_level === undefined ? '' : String(was.ability_level),
    conditions: listText(was?.conditions),
    medications: listText(was?.medications),
    allergies: listText(was?.allergies),
    languages: Array.isArray(was?.languages) ? [...was.languages] : was ? [] : ['zh'],
    hearing: was?.hearing ?? '',
    flags: listText(was?.flags),
    gate: doorText('gate'),
    lift: doorText('lift'),
    key_with: doorText('key_with'),
    door_note: doorText('door_note'),
    notes: was?.notes ?? '',
  }
}

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)

/** A place is two numbers or none; "lat, lon" pasted from a map into the first field is both. Null: it is neither. */
export function placeOf(form: Pick<Form, 'lat' | 'lon'>): { lat: number | null; lon: number | null } | null {
  const [lat, lon] = (/[,，]/.test(form.lat) ? form.lat.split(/[,，]/) : [form.lat, form.lon]).map((one) => (one ?? '').trim())
  if (!lat && !lon) return { lat: null, lon: null }
  const found = { lat: Number(lat), lon: Number(lon) }
  return lat && lon && Math.abs(found.lat) <= 90 && Math.abs(found.lon) <= 180 ? found : null
}

/** The body of the write: what differs from `was`. A masked field that is still as it was shown is never sent. */
export function changesOf(form: Form, was: RecordOf | null): Record<string, unknown> {
  const before = formOf(was)
  const body: Record<string, unknown> = {}
  for (const name of PLAIN) if (form[name].trim() !== before[name].trim()) body[name] = form[name].trim() || null
  for (const name of LISTS) if (!same(listOf(form[name]), listOf(before[name]))) body[name] = listOf(form[name])
  for (const name of ['lives_alone', 'served'] as const) if (form[name] !== before[name]) body[name] = form[name]
  if (form.ability_level !== before.ability_level) body.ability_level = form.ability_level === '' ? null : Number(form.ability_level)
  if (!same([...form.languages].sort(), [...before.languages].sort()) || (!was && form.languages.length)) body.languages = form.languages
  const place = placeOf(form)
  const held = placeOf(before)
  if (place && held && !same(place, held)) Object.assign(body, place)
  if (DOOR.some((name) => form[name].trim() !== before[name].trim())) {
    // The way in may hold more than this form has fields for.
    const access: Record<string, unknown> = { ...(was?.access ?? {}) }
    for (const name of DOOR) if (form[name].trim() !== before[name].trim()) access[name] = form[name].trim() || null
    body.access = access
  }
  if (!was && form.id.trim()) body.id = form.id.trim()
  return body
}

/** The form on what stands there by now: what somebody typed stays, the rest is the newer record's. */
export function rebased(form: Form, was: RecordOf, now: RecordOf): Form {
  const before = formOf(was)
  const fresh = formOf(now)
  const merged = { ...fresh } as Record<string, unknown>
  for (const name of Object.keys(fresh) as (keyof Form)[]) if (!same(form[name], before[name])) merged[name] = form[name]
  return merged as unknown as Form
}

/** Day of birth and sex as an ID card's number has them (GB 11643-1999); null for another paper. */
export function readIdNumber(text: string): { born_on: string; sex: 'f' | 'm' } | null {
  const found = /^\d{6}(\d{4})(\d{2})(\d{2})\d{2}(\d)[\dXx]$/.exec(text.trim())
  return found ? { born_on: `${found[1]}-${found[2]}-${found[3]}`, sex: Number(found[4]) % 2 ? 'm' : 'f' } : null
}
