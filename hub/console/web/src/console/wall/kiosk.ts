/** A wall screen without an account: its token opens one address, asked every two seconds. No names come that way. */
import { ref } from 'vue'
import { setZone, syncClock } from '../../core/clock.ts'
import type { Area, Incident, Summary } from '../../core/types.ts'
import { areas, linkState, showPicture } from '../store.ts'

interface Picture {
  name: string
  time_zone: string
  server_time: string
  incidents: Incident[]
  on_duty: number
  devices: Summary['devices']
}

const EVERY_MS = 2000
/** A token that was shut off is asked about again now and then: the screen may have been let in anew after a restore. */
const REFUSED_MS = 30_000
const TIMEOUT_MS = 8000

/** Responders on duty; null: nothing was heard yet. */
export const onDuty = ref<number | null>(null)
export const refused = ref(false)

async function ask<T>(path: string, token: string): Promise<T | 401> {
  const answer = await fetch(`/api/v1${path}`, { headers: { Authorization: `Bearer ${token}` }, credentials: 'omit', cache: 'no-store', signal: AbortSignal.timeout(TIMEOUT_MS) })
  if (answer.status === 401) return 401
  if (!answer.ok) throw new Error(String(answer.status))
  return (await answer.json()) as T
}

async function beat(token: string): Promise<number> {
  try {
    const sentAt = Date.now()
    const found = await ask<Picture>('/wall', token)
    refused.value = found === 401
    if (found === 401) return REFUSED_MS
    syncClock(found.server_time, sentAt, Date.now())
    setZone(found.time_zone)
    onDuty.value = found.on_duty
    showPicture({ incidents: found.incidents, site: found, devices: found.devices })
    if (!areas.value.length) {
      const places = await ask<{ items: Area[] }>('/wall/areas', token)
      if (places !== 401) areas.value = places.items
    }
  } catch {
    // Away or silent: the frame turns red by the age of what is shown.
    if (linkState.value === 'live') linkState.value = 'stale'
  }
  return EVERY_MS
}

export function watchWall(token: string): void {
  void beat(token).then((wait) => setTimeout(() => watchWall(token), wait))
}
