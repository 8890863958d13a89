/** A failure in words for whoever holds a phone. */
import { clockTime } from './clock.ts'
import { Problem } from './http.ts'
import { t } from './i18n.ts'

export function explain(error: unknown): string {
  if (!(error instanceof Problem)) return String(error)
  if (error.status === 0) return t('problem.network')
  if (error.by?.name && error.at) return t('problem.first', { who: error.by.name, at: clockTime(error.at) })
  if (error.status === 429) return t('problem.throttled', { s: error.retryAfterS ?? 30 })
  return error.detail || t('problem.other', { status: error.status, detail: '' })
}
