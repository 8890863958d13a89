export interface Held {
  skill: string
  expires_on: string | null
}

export interface Staff {
  id: string
  name: string
  kind: string
  phone: string | null
  sex: 'f' | 'm' | null
  skills: Held[]
  areas: { id: string; name: string }[]
  area_ids: string[]
  station_id: string | null
  provider_id: string | null
  /** The own provider, else the station's. */
  belongs_to: string | null
  mode: string
  on_duty: boolean
  live: number
  active: boolean
  version: number
}

export const KINDS = ['grid_officer', 'carer', 'nurse', 'doctor', 'courier', 'cook', 'station_manager', 'volunteer', 'guard', 'neighbour', 'family', 'ambulance'] as const
export const MODES = ['foot', 'bike', 'car', 'van'] as const

/** Whether a paper has run out by that day; without an end it never does. */
export function lapsed(held: Held, today: string): boolean {
  return held.expires_on !== null && held.expires_on < today
}

/** What the form's ticks and days make: held skills in the order of `known`, then whatever the person has beyond it. */
export function skillsOf(chosen: readonly string[], until: Readonly<Record<string, string>>, known: readonly string[]): Held[] {
  const order = [...known, ...chosen.filter((code) => !known.includes(code))]
  return order.filter((code) => chosen.includes(code)).map((skill) => ({ skill, expires_on: until[skill] || null }))
}
