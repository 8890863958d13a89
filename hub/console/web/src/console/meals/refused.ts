/** What the kitchen says against an order, in the reader's language. */
import { Problem } from '../../core/http.ts'
import { language } from '../../core/i18n.ts'
import { explain } from '../actions.ts'

export function objections(error: unknown): string[] {
  const listed = error instanceof Problem && Array.isArray(error.body.objections) ? (error.body.objections as { zh: string; en: string }[]) : []
  return listed.length ? listed.map((one) => one[language.value]) : [explain(error)]
}

/** Refused by a rule a coordinator may decide against; everything else is simply wrong. */
export const mayBeDecided = (error: unknown) => error instanceof Problem && error.code === 'meal-refused'
