/** The queue as the page shows it: the tab's rows in order, held still while the pointer is over them. */
import { computed, onBeforeUnmount, ref, shallowRef, watch } from 'vue'
import { tick } from '../../core/clock.ts'
import { get, query } from '../../core/http.ts'
import { firstOut } from '../../core/flood.ts'
import { byEnd, byUrgency, inTab, isShelved, isUnclaimed, passes, settle, type Tab } from '../../core/order.ts'
import type { Incident, Page, Priority } from '../../core/types.ts'
import { explain } from '../actions.ts'
import { areaFilter, classFilter, levelFilter, search, tab } from '../filters.ts'
import { me } from '../../core/session.ts'
import { ended, flood, floodBegan, incidentById, incidents, linkState } from '../store.ts'

const RECENT_MS = 24 * 3600_000
/** After the wheel stops, the eye still reads. */
const SCROLL_HOLD_MS = 1500
/** Whoever goes down the rows by key is on a row as much as a pointer is. */
const STEP_HOLD_MS = 4000

export function useQueue() {
  const hovering = ref(false)
  const scrolling = ref(false)
  const stepping = ref(false)
  const frozen = ref(false)
  const unfolded = ref(false)
  const recent = shallowRef<Incident[]>([])
  const recentState = ref<'idle' | 'loading' | 'loaded' | 'failed'>('idle')
  const recentProblem = ref('')
  const recentNext = ref<string | null>(null)
  const shown = shallowRef<string[]>([])
  const fresh = shallowRef<string[]>([])
  let scrollTimer: ReturnType<typeof setTimeout> | null = null
  let stepTimer: ReturnType<typeof setTimeout> | null = null

  const filter = computed(() => ({ priorities: new Set(levelFilter), classes: new Set(classFilter), text: search.value, area: areaFilter.value }))
  const filtering = computed(() => filter.value.priorities.size > 0 || filter.value.classes.size > 0 || filter.value.area !== null || filter.value.text.trim() !== '')
  // Shelving ends by the clock: looked at every five seconds, because a second's list of thousands is not free.
  const slow = ref(tick.value)
  watch(tick, (now) => {
    if (now - slow.value >= 5000 || now < slow.value) slow.value = now
  })

  const counts = computed(() => {
    const now = slow.value
    const out: Record<Tab, number> = { open: 0, mine: 0, progress: 0, shelved: 0, recent: 0, technical: 0 }
    const self = me.value?.id ?? null
    for (const incident of incidents.value.values()) {
      // One look at each row: five thousand of them are counted ten times a second.
      if (incident.class === 'technical') out.technical++
      else if (isShelved(incident, now)) out.shelved++
      else {
        if (incident.state === 'open') out.open++
        else out.progress++
        if (self !== null && incident.acknowledged_by?.id === self) out.mine++
      }
    }
    return out
  })

  let lastOrder: string[] = []
  const rows = computed<Incident[]>(() => {
    const now = slow.value
    if (tab.value === 'recent') {
      const known = new Map(recent.value.map((i) => [i.id, i]))
      for (const incident of ended.value.values()) {
        const before = known.get(incident.id)
        if (!before || before.version <= incident.version) known.set(incident.id, incident)
      }
      for (const id of incidents.value.keys()) known.delete(id)
      return [...known.values()].filter((i) => passes(i, filter.value)).sort(byEnd)
    }
    const all = incidents.value
    const self = me.value?.id ?? null
    const unfiltered = !filtering.value
    const here = (incident: Incident) => inTab(incident, tab.value, self, now) && (unfiltered || passes(incident, filter.value))
    // In the order of the last time: what is nearly sorted is sorted in one pass.
    const out: Incident[] = []
    const seen = new Set<string>()
    for (const id of lastOrder) {
      const incident = all.get(id)
      if (incident && here(incident)) out.push(incident)
      seen.add(id)
    }
    for (const incident of all.values()) if (!seen.has(incident.id) && here(incident)) out.push(incident)
    out.sort(byUrgency)
    lastOrder = out.map((incident) => incident.id)
    return out
  })

  /** What a filter keeps out of sight: of this tab, and the most urgent that waits for somebody, whatever the tab. */
  const outside = computed(() => {
    const out: { rows: number; urgent: Incident[] } = { rows: 0, urgent: [] }
    if (!filtering.value) return out
    const now = slow.value
    const self = me.value?.id ?? null
    for (const incident of incidents.value.values()) {
      if (passes(incident, filter.value)) continue
      if (tab.value !== 'recent' && inTab(incident, tab.value, self, now)) out.rows++
      if (incident.priority === 'critical' && isUnclaimed(incident, now)) out.urgent.push(incident)
    }
    out.urgent.sort(byUrgency)
    return out
  })

  const folding = computed(() => flood.value && tab.value === 'open' && !unfolded.value && levelFilter.size === 0)
  const folded = computed(() => {
    const out = { medium: 0, low: 0 }
    if (folding.value) for (const row of rows.value) if (row.priority === 'medium' || row.priority === 'low') out[row.priority]++
    return out
  })
  /** What came first in the flood, for each area that is in one. */
  const first = computed(() => (floodBegan.value === null || tab.value !== 'open' ? [] : firstOut([...incidents.value.values(), ...ended.value.values()], floodBegan.value)))
  const firstIds = computed(() => new Set(first.value.map((one) => one.incident.id)))
  /** What of the lowest level waits for somebody, as filtered: it may be claimed together. */
  const lowest = computed(() => (flood.value && tab.value === 'open' ? rows.value.filter((one) => one.priority === 'low' && isUnclaimed(one, slow.value)) : []))
  const wanted = computed(() => (folding.value ? rows.value.filter((r) => r.priority === 'critical' || r.priority === 'high') : rows.value).map((r) => r.id))
  const held = computed(() => hovering.value || scrolling.value || stepping.value || frozen.value)

  watch(
    [wanted, held],
    () => {
      const next = settle(shown.value, wanted.value, held.value)
      if (next.ids.length !== shown.value.length || next.ids.some((id, i) => id !== shown.value[i])) shown.value = next.ids
      fresh.value = next.fresh
    },
    { immediate: true },
  )

  /** Takes everything in: another tab, another filter, or a press on "N new alarms". */
  function settleNow() {
    shown.value = [...wanted.value]
    fresh.value = []
  }
  watch([tab, filter, unfolded], settleNow)

  const byId = computed(() => new Map(rows.value.map((row) => [row.id, row])))
  const list = computed(() => {
    void incidents.value
    const out: { incident: Incident; gone: boolean }[] = []
    for (const id of shown.value) {
      const incident = byId.value.get(id)
      const other = incident ? undefined : incidentById(id)
      if (incident) out.push({ incident, gone: false })
      else if (other) out.push({ incident: other, gone: true })
    }
    return out
  })

  const freshLevel = computed<Priority | null>(() => byId.value.get(fresh.value[0] ?? '')?.priority ?? null)

  function onScrolled() {
    scrolling.value = true
    if (scrollTimer) clearTimeout(scrollTimer)
    scrollTimer = setTimeout(() => (scrolling.value = false), SCROLL_HOLD_MS)
  }
  function onStep() {
    stepping.value = true
    if (stepTimer) clearTimeout(stepTimer)
    stepTimer = setTimeout(() => (stepping.value = false), STEP_HOLD_MS)
  }
  onBeforeUnmount(() => {
    if (scrollTimer) clearTimeout(scrollTimer)
    if (stepTimer) clearTimeout(stepTimer)
  })

  async function loadRecent(more = false) {
    recentState.value = 'loading'
    try {
      const page = await get<Page<Incident>>(
        `/incidents${query({ state: ['resolved', 'closed'], limit: 100, cursor: more ? recentNext.value : undefined })}`,
      )
      const young = page.items.filter((i) => tick.value - Date.parse(i.resolved_at ?? i.last_alarm_at) < RECENT_MS)
      recent.value = more ? [...recent.value, ...young] : young
      recentNext.value = young.length === page.items.length ? page.next : null
      recentState.value = 'loaded'
    } catch (error) {
      recentProblem.value = explain(error)
      recentState.value = 'failed'
    }
  }
  watch(
    tab,
    (now) => {
      if (now === 'recent') void loadRecent()
    },
    { immediate: true },
  )
  watch(linkState, (now) => {
    if (now === 'live' && tab.value === 'recent') void loadRecent()
  })

  return { list, rows, filtering, outside, first, firstIds, lowest, counts, fresh, freshLevel, folded, unfolded, frozen, hovering, held, recentState, recentProblem, recentNext, settleNow, onScrolled, onStep, loadRecent }
}
