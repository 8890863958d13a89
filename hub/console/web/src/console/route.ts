/** Hash routes: `#/alarms/ID`, `#/devices/work`. Small enough to need no router. */
import { computed, shallowRef } from 'vue'
import { isPage, pieceOf, type PageName } from './pages.ts'

export type { PageName } from './pages.ts'

const hash = shallowRef(location.hash)
addEventListener('hashchange', () => {
  hash.value = location.hash
})

const whole = computed(() => hash.value.replace(/^#\/?/, '').split('?'))
const pieces = computed(() => whole.value[0]!.split('/').map(decodeURIComponent))

export const page = computed<PageName>(() => {
  const name = pieces.value[0]
  return isPage(name) ? name : 'alarms'
})
export const selectedId = computed<string | null>(() => pieceOf(page.value, pieces.value[1]))
/** `#/supervision/list?number=late_60`: what a page was opened for. */
export const asked = computed(() => new URLSearchParams(whole.value[1] ?? ''))

/** Selecting a row replaces the address: going back leaves the page, not the last forty rows. `asks`: `?…`, what it shows besides. */
export function select(name: PageName, id: string | null, asks = ''): void {
  const next = `#/${name}${id ? `/${encodeURIComponent(id)}` : ''}${asks}`
  if (next === location.hash) return
  history.replaceState(history.state, '', next)
  hash.value = next
}

/** What a page shows is kept in its address, so that the address can be handed on and going back finds it again. */
export function keep(values: Record<string, string>): void {
  const given = new URLSearchParams(Object.entries(values).filter(([, value]) => value !== ''))
  const next = `${location.hash.split('?')[0]}${given.size ? `?${given}` : ''}`
  if (next === location.hash) return
  history.replaceState(history.state, '', next)
  hash.value = next
}

export function go(name: PageName, id?: string): void {
  location.hash = `#/${name}${id ? `/${encodeURIComponent(id)}` : ''}`
  // The browser tells of it a moment later; until then the page that is left would write its own address over it.
  hash.value = location.hash
}
