/** A contact's record as a form's texts, and what of it was changed. */
import type { Contact } from '../../core/types.ts'
import { listOf } from '../resident/record.ts'

export interface ContactRecord extends Contact {
  version: number
  other_phones?: string[]
  hours?: string | null
  languages?: string[]
  consented_on?: string | null
  resident?: { id: string; name: string; address: string | null }
}

export function contactForm(was: ContactRecord | null) {
  return {
    name: was?.name ?? '',
    relation: was?.relation ?? '',
    kind: was?.kind ?? 'family',
    phone: was?.phone ?? '',
    other_phones: (was?.other_phones ?? []).join('、'),
    hours: was?.hours ?? '',
    languages: [...(was?.languages ?? [])],
    consented_on: was?.consented_on ?? '',
    confirmed_on: was?.confirmed_on ?? '',
    has_key: was?.has_key ?? false,
  }
}

/** Only what differs: a masked number that is still as it was shown is never sent. */
export function contactBody(form: ReturnType<typeof contactForm>, was: ContactRecord | null): Record<string, unknown> {
  const before = contactForm(was)
  const body: Record<string, unknown> = {}
  for (const name of ['name', 'relation', 'phone', 'hours', 'consented_on', 'confirmed_on'] as const) if (form[name].trim() !== before[name].trim()) body[name] = form[name].trim() || null
  if (form.other_phones.trim() !== before.other_phones.trim()) body.other_phones = listOf(form.other_phones)
  if (form.kind !== before.kind || !was) body.kind = form.kind
  if (form.has_key !== before.has_key) body.has_key = form.has_key
  if (JSON.stringify([...form.languages].sort()) !== JSON.stringify([...before.languages].sort())) body.languages = form.languages
  return body
}
