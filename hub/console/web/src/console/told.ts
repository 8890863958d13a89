/** The form for what is told to the desk: asked for from any page, filled by a call where there is one. */
import { shallowRef } from 'vue'
import type { Call } from '../core/types.ts'

export interface Teller {
  /** The call it is told by; it is tied to the incident afterwards. */
  call: Call | null
  name: string
  phone: string
  /** Whom it may be about. One: filled in; several: the operator asks, and chooses. */
  residents: readonly About[]
}

/** As much of a resident as the form shows. */
export interface About {
  id: string
  name: string
  age: number | null
  address: string | null
}

/** The form is open; null: it is not. */
export const telling = shallowRef<Teller | null>(null)

export const NOBODY: Teller = { call: null, name: '', phone: '', residents: [] }
