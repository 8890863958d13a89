/** At which seat each live incident belongs. Decided within a second of its opening, asked for beside the live picture. */
import { computed, onBeforeUnmount, onMounted, shallowRef } from 'vue'
import { get } from '../../core/http.ts'
import { me } from '../../core/session.ts'
import type { Named } from '../../core/types.ts'
import { databaseUp, onLive } from '../store.ts'

interface Seated {
  incident_id: string
  seat: Named | null
  home: Named | null
  rule: 'home' | 'spilled' | 'all_flooded' | 'nobody'
}

const EVERY_MS = 15_000
const SOON_MS = 1_500
const found = shallowRef<ReadonlyMap<string, Seated>>(new Map())
/** With one seat alone everything belongs to it: nothing is said then. */
const several = computed(() => new Set([...[...found.value.values()].map((one) => one.seat?.id), me.value?.id]).size > 1)

/** Whose incident it is, where that says anything; `mine`: one's own seat. */
export function seatOf(incidentId: string): { name: string; mine: boolean; spilled: boolean } | null {
  const one = found.value.get(incidentId)
  if (!one?.seat || !several.value) return null
  return { name: one.seat.name, mine: one.seat.id === me.value?.id, spilled: one.rule === 'spilled' }
}

async function look() {
  if (!databaseUp.value || document.hidden) return
  const page = await get<{ items: Seated[] }>('/load/seats').catch(() => null)
  if (page) found.value = new Map(page.items.map((one) => [one.incident_id, one]))
}

/** Keeps them fresh while the queue is shown: now and then, and soon after something new. */
export function useSeats(): void {
  let timer: ReturnType<typeof setInterval> | undefined
  let soon: ReturnType<typeof setTimeout> | null = null
  const off = onLive((effects) => {
    if (soon || ![...effects.touched].some((id) => !found.value.has(id))) return
    soon = setTimeout(() => {
      soon = null
      void look()
    }, SOON_MS)
  })
  onMounted(() => {
    void look()
    timer = setInterval(() => void look(), EVERY_MS)
  })
  onBeforeUnmount(() => {
    off()
    clearInterval(timer)
    if (soon) clearTimeout(soon)
  })
}
