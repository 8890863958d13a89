import { shallowRef } from 'vue'
import { remember, remembered } from './settings.ts'
import type { Theme } from './types.ts'

export const theme = shallowRef<Theme>('auto')
/** Rises when colours may have changed: what is drawn on a canvas reads its tokens again. */
export const themeRevision = shallowRef(0)

export function setTheme(next: Theme, keep = true): void {
  theme.value = next
  if (next === 'auto') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = next
  if (keep) remember('theme', next)
  themeRevision.value++
}

/** `?theme=` wins over the signed-in user's record, that over what this browser remembers. */
export function chooseTheme(search: string, user: string | null): Theme {
  const asked = new URLSearchParams(search).get('theme')
  for (const value of [asked, user, remembered('theme')]) if (value === 'light' || value === 'dark' || value === 'auto') return value
  return 'auto'
}

export function watchSystemTheme(): void {
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => themeRevision.value++)
}
