/** The selected incident in full, kept fresh by the stream. */
import { onBeforeUnmount, ref, shallowRef, watch, type Ref } from 'vue'
import { Problem, get } from '../../core/http.ts'
import type { Incident, IncidentDetail, Page, TimelineEntry } from '../../core/types.ts'
import { explain, reopen } from '../actions.ts'
import { onLive, takeIncident } from '../store.ts'

const REFRESH_MS = 150

export interface Detail {
  incident: Ref<Incident | null>
  full: Ref<IncidentDetail | null>
  timeline: Ref<TimelineEntry[]>
  more: Ref<string | null>
  problem: Ref<string | null>
  loading: Ref<boolean>
  reload(): void
  loadMore(): Promise<void>
  reopen(incident: Incident, reason: string): Promise<unknown>
}

export function useDetail(id: Ref<string | null>): Detail {
  const full = shallowRef<IncidentDetail | null>(null)
  const incident = shallowRef<Incident | null>(null)
  const timeline = shallowRef<TimelineEntry[]>([])
  const more = ref<string | null>(null)
  const problem = ref<string | null>(null)
  const loading = ref(false)
  let run = 0
  let own = false
  let timer: ReturnType<typeof setTimeout> | null = null

  async function fetchAll() {
    const wanted = id.value
    const mine = ++run
    if (!wanted) return
    loading.value = true
    const path = `/incidents/${encodeURIComponent(wanted)}`
    try {
      const [one, entries] = await Promise.all([get<IncidentDetail>(path), get<Page<TimelineEntry>>(`${path}/timeline?limit=100`)])
      if (mine !== run) return
      full.value = one
      incident.value = one
      timeline.value = entries.items
      more.value = entries.next
      problem.value = null
      own = true
      takeIncident(one)
      own = false
    } catch (error) {
      if (mine !== run) return
      problem.value = error instanceof Problem && error.status === 404 ? 'missing' : explain(error)
    } finally {
      if (mine === run) loading.value = false
    }
  }

  function later() {
    if (timer) clearTimeout(timer)
    timer = setTimeout(() => void fetchAll(), REFRESH_MS)
  }

  watch(
    id,
    () => {
      full.value = null
      incident.value = null
      timeline.value = []
      more.value = null
      problem.value = null
      if (timer) clearTimeout(timer)
      // Running down the list with J must not ask for every row it passes.
      timer = setTimeout(() => void fetchAll(), 60)
    },
    { immediate: true },
  )
  const off = onLive((effects) => {
    if (!own && id.value && effects.touched.has(id.value)) later()
  })
  onBeforeUnmount(() => {
    off()
    if (timer) clearTimeout(timer)
  })

  async function loadMore() {
    if (!id.value || !more.value) return
    const mine = run
    const page = await get<Page<TimelineEntry>>(`/incidents/${encodeURIComponent(id.value)}/timeline?limit=100&cursor=${encodeURIComponent(more.value)}`)
    if (mine !== run) return
    timeline.value = [...timeline.value, ...page.items]
    more.value = page.next
  }

  return { incident, full, timeline, more, problem, loading, reload: () => void fetchAll(), loadMore, reopen }
}
