/** What an order of a kind must say beside its time: fields as data of the kind. Asked for once. */
import { shallowRef } from 'vue'
import { shortTime } from '../../core/clock.ts'
import { get } from '../../core/http.ts'
import { language, t } from '../../core/i18n.ts'
import type { DayOrder } from './types.ts'

export interface KindField {
  name: string
  zh: string
  en: string
  type: 'text' | 'number' | 'money_fen' | 'time' | 'flag' | 'choice' | 'choices' | 'lines' | 'photo'
  required: boolean
  choices: Record<string, [string, string]> | null
  low: number | null
  high: number | null
}

export const fields = shallowRef<Record<string, { order: KindField[] }>>({})
let asked: Promise<void> | null = null
export function loadFields(): Promise<void> {
  asked ??= get<{ items: Record<string, { order: KindField[] }> }>('/service-fields').then(
    (found) => void (fields.value = found.items),
    () => void (asked = null), // asked again with the next order; the hub names what is missing meanwhile
  )
  return asked
}

/** Fields that have to be filled for an order of this kind. */
export const neededFor = (kind: string): KindField[] => (fields.value[kind]?.order ?? []).filter((one) => one.required)

const name = (pair: [string, string]) => pair[language.value === 'zh' ? 0 : 1]
export const choicesOf = (field: KindField): [string, string][] => Object.entries(field.choices ?? {}).map(([code, pair]) => [code, name(pair)])

function valueText(field: KindField, value: unknown): string {
  const chosen = (code: unknown) => {
    const pair = field.choices?.[String(code)]
    return pair ? name(pair) : String(code)
  }
  if (field.type === 'flag') return t(value ? 'ui.yes' : 'ui.no')
  if (field.type === 'money_fen' && typeof value === 'number') return (value / 100).toFixed(2)
  if (field.type === 'time' && typeof value === 'string') return shortTime(value) || value
  if (Array.isArray(value)) return value.map((one) => (field.choices ? chosen(one) : String(one))).join(t('ui.comma'))
  return field.choices ? chosen(value) : String(value)
}

/** What an order says in its own fields, as label and words. */
export function saidOf(order: DayOrder): [string, string][] {
  const said = order.attributes ?? {}
  return (fields.value[order.kind]?.order ?? []).flatMap((field) => {
    const value = said[field.name]
    return value === undefined || value === null || value === '' ? [] : [[field[language.value], valueText(field, value)] as [string, string]]
  })
}

/** What was typed, as the hub takes it; empty fields are left out. */
export function attributesOf(kind: string, typed: Readonly<Record<string, string>>, momentOf: (local: string) => string | null): Record<string, unknown> {
  const out: Record<string, unknown> = {}
  for (const field of neededFor(kind)) {
    const text = (typed[field.name] ?? '').trim()
    if (!text) continue
    if (field.type === 'number') out[field.name] = Number(text)
    else if (field.type === 'money_fen') out[field.name] = Math.round(Number(text) * 100)
    else if (field.type === 'time') out[field.name] = momentOf(text)
    else if (field.type === 'flag') out[field.name] = text === 'yes'
    else if (field.type === 'choices') out[field.name] = [text]
    else if (field.type === 'lines') out[field.name] = text.split(/\n|[,;，；、]/).map((one) => one.trim()).filter(Boolean)
    else out[field.name] = text
  }
  return out
}
