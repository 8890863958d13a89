/** Hash routes: `#/alarms/ID`. Small enough to need no router. */
import { computed, shallowRef } from 'vue'

export const PAGES = ['alarms', 'orders', 'residents', 'devices', 'onboarding', 'supervision'] as const
export type PageName = (typeof PAGES)[number]

const hash = shallowRef(location.hash)
addEventListener('hashchange', () => {
  hash.value = location.hash
})

const pieces = computed(() => hash.value.replace(/^#\/?/, '').split('?')[0]!.split('/').map(decodeURIComponent))

export const page = computed<PageName>(() => {
  const name = pieces.value[0] as PageName
  return PAGES.includes(name) ? name : 'alarms'
})
export const selectedId = computed<string | null>(() => pieces.value[1] || null)

/** Selecting a row replaces the address: going back leaves the page, not the last forty rows. */
export function select(name: PageName, id: string | null): void {
  const next = `#/${name}${id ? `/${encodeURIComponent(id)}` : ''}`
  if (next === location.hash) return
  history.replaceState(history.state, '', next)
  hash.value = next
}

export function go(name: PageName, id?: string): void {
  location.hash = `#/${name}${id ? `/${encodeURIComponent(id)}` : ''}`
}
