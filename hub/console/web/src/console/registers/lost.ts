/** Somebody else was quicker: who, when, and which fields, in the reader's words. */
import { shortTime } from '../../core/clock.ts'
import { Problem } from '../../core/http.ts'
import { t, word } from '../../core/i18n.ts'

export interface Lost {
  who: string
  at: string
  fields: string
}

/** Null where the failure is another one. */
export function lostTo(error: unknown): Lost | null {
  if (!(error instanceof Problem) || error.code !== 'version') return null
  const fields = Array.isArray(error.body.fields) ? (error.body.fields as string[]) : []
  return { who: error.by?.name ?? t('register.hub'), at: error.at ? shortTime(error.at) : '', fields: fields.map((one) => word('register.field', one)).join(t('ui.comma')) }
}
