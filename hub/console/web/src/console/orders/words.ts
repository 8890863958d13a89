/** What the codes of a day say, in the reader's words. */
import { language, t, word } from '../../core/i18n.ts'
import type { Conflict } from './conflicts.ts'
import type { Lateness } from './stage.ts'
import type { DayOrder, Worded } from './types.ts'
import { timeOf } from './day-store.ts'

export function conflictText(one: Conflict, other?: DayOrder): string {
  return t(`orders.conflict.${one.code}`, { n: one.minutes, other: other ? `${other.resident?.name ?? ''} ${timeOf(other.visit?.planned_start ?? other.wanted_from)}` : t('orders.another') })
}

/** How late; without a number where nobody counts any more. */
export const lateText = (one: Lateness) => (one.minutes ? t(`orders.late.${one.level}`, { n: one.minutes }) : t(`orders.late.${one.level}.only`))

export const worded = (one: Worded) => one[language.value] || one.zh || one.code

/** The hub's reason in the reader's language. */
export const reasonOf = (one: { reason: string; reason_zh?: string | null }) => (language.value === 'zh' ? one.reason_zh || one.reason : one.reason)

/** A figure of a plan with its unit: minutes as hours and minutes, shares as per cent. */
export function figure(part: string, value: number | null): string {
  if (value === null) return '–'
  if (part === 'continuity') return `${Math.round(value * 100)} %`
  if (part.endsWith('_min')) {
    const whole = Math.round(value)
    return Math.abs(whole) >= 60 ? t('orders.hm', { h: Math.trunc(whole / 60), m: String(Math.abs(whole % 60)).padStart(2, '0') }) : t('orders.minutes', { n: whole })
  }
  return Number.isInteger(value) ? String(value) : value.toFixed(1)
}

export const partName = (part: string) => word('orders.part', part, part)
