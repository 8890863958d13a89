/** A position in words: what measured it, how sure it is, how old. */
import { t, word } from './i18n.ts'
import type { Fix } from './types.ts'

/** `±12 m`, `±3 km`; nothing where the device did not say it. */
export function accuracyText(metres: number | null | undefined): string {
  if (!metres || !Number.isFinite(metres)) return ''
  return metres < 1000 ? `±${Math.round(metres)} m` : `±${Number((metres / 1000).toFixed(1))} km`
}

export function ageText(at: string | null | undefined, now: number): string {
  const minutes = at ? Math.floor((now - Date.parse(at)) / 60_000) : NaN
  if (!Number.isFinite(minutes)) return t('position.age.unknown')
  if (minutes < 1) return t('position.age.now')
  if (minutes < 100) return t('position.age.min', { n: minutes })
  return minutes < 48 * 60 ? t('position.age.h', { n: Math.round(minutes / 60) }) : t('position.age.d', { n: Math.round(minutes / 1440) })
}

export const sourceText = (fix: Partial<Fix>): string => [word('position.source', fix.source ?? 'gnss'), accuracyText(fix.accuracy_m)].filter(Boolean).join(' ')

/** `GPS ±12 m · 3 min ago`. */
export const fixText = (fix: Partial<Fix>, now: number): string => `${sourceText(fix)} · ${ageText(fix.observed_at, now)}`
