/** Maintenance windows in force: the lowest rank of the banner, so that what is missing from the queue is no surprise. */
import { computed, shallowRef, watch } from 'vue'
import { tick } from '../core/clock.ts'
import { get } from '../core/http.ts'
import { session } from '../core/session.ts'
import type { Named, Page } from '../core/types.ts'
import { linkState } from './store.ts'

interface Window {
  id: string
  kind: string
  type: string | null
  ends_at: string
  reason: string
  device: { id: string; name: string | null } | null
  area: Named | null
}

const EVERY_MS = 60_000
const found = shallowRef<readonly Window[]>([])
/** Those that go on now, the first to end first. */
export const maintained = computed(() => found.value.filter((one) => Date.parse(one.ends_at) > tick.value).sort((a, b) => Date.parse(a.ends_at) - Date.parse(b.ends_at)))

/** A page that sets or ends one asks again at once. */
export async function lookForMaintenance(): Promise<void> {
  // Silences are the district's: an account of a provider does not ask.
  if (!session.value || session.value.user.provider_id || linkState.value !== 'live') return
  const page = await get<Page<Window>>('/silences?state=in_force&limit=500').catch(() => null)
  if (page) found.value = page.items.filter((one) => one.kind === 'maintenance')
}

export function watchMaintenance(): void {
  watch(linkState, () => void lookForMaintenance(), { immediate: true })
  setInterval(() => void lookForMaintenance(), EVERY_MS)
}
