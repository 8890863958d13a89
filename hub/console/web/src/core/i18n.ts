/** A small `t()`: flat keys, `{name}` places, Chinese first. Entries register their own messages, so each page carries only its own. */
import { shallowRef } from 'vue'
import type { Language } from './types.ts'

type Messages = Record<string, string>
export type Params = Record<string, string | number | null | undefined>

const known: Record<Language, Messages> = { zh: {}, en: {} }

export const language = shallowRef<Language>('zh')

export function addMessages(zh: Messages, en: Messages): void {
  Object.assign(known.zh, zh)
  Object.assign(known.en, en)
}

/** Few words in one file, both languages beside each other: `{"key": {"zh": …, "en": …}}` gives `prefix.key`. */
export function addPairs(prefix: string, pairs: Record<string, Record<Language, string>>): void {
  for (const [key, pair] of Object.entries(pairs)) {
    known.zh[`${prefix}.${key}`] = pair.zh
    known.en[`${prefix}.${key}`] = pair.en
  }
}

/** Replaces `{name}` by `params.name`; an unknown place stays visible, so a wrong key is seen and not swallowed. */
export function fill(text: string, params?: Params): string {
  if (!params) return text
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => (name in params ? String(params[name] ?? '') : whole))
}

export function t(key: string, params?: Params): string {
  return fill(known[language.value][key] ?? known.zh[key] ?? key, params)
}

/** For words that come from the server: the translation where there is one, else what the server said. */
export function word(prefix: string, code: string | null | undefined, otherwise?: string | null, params?: Params): string {
  if (code === null || code === undefined || code === '') return otherwise ?? ''
  const text = known[language.value][`${prefix}.${code}`]
  return text === undefined ? (otherwise ?? code) : fill(text, params)
}

export function hasWord(prefix: string, code: string): boolean {
  return `${prefix}.${code}` in known.zh
}

/** The codes that have a wording under a prefix, in the order of their file. */
export function codesOf(prefix: string): string[] {
  return Object.keys(known.zh).filter((key) => key.startsWith(`${prefix}.`)).map((key) => key.slice(prefix.length + 1))
}

export function setLanguage(next: Language): void {
  language.value = next
  if (typeof document !== 'undefined') document.documentElement.lang = next === 'zh' ? 'zh-CN' : 'en'
}

/** `?lang=` wins over the signed-in user's record, that over what this browser remembers, that over Chinese. */
export function chooseLanguage(query: string, user: string | null, stored: string | null): Language {
  const asked = new URLSearchParams(query).get('lang')
  for (const value of [asked, user, stored]) if (value === 'zh' || value === 'en') return value
  return 'zh'
}
