/** The live picture of this page: one stream, one set of maps, redrawn at most every 100 ms (critical ones at once). */
import { computed, shallowReactive, shallowRef } from 'vue'
import { serverNow, syncClock, tick } from '../core/clock.ts'
import { floodSince } from '../core/flood.ts'
import { get, getAll, post } from '../core/http.ts'
import type { LinkState } from '../core/link.ts'
import { browserDeps } from '../core/link-browser.ts'
import { apply, emptyState, load, noEffects, putAssignment, putIncident, type Effects } from '../core/live.ts'
import { isUnclaimed } from '../core/order.ts'
import type { Area, Assignment, Dark, Incident, LiveEvent, Moved, Named, Order, Page, PresenceRow, Priority, Provisional, Responder, ServiceKind, Site, Station, Summary } from '../core/types.ts'
import { session } from '../core/session.ts'
import { SharedLink } from './shared-link.ts'

const state = emptyState()

/** Rises with every change of the maps: computed values that read them depend on it. */
const revision = shallowRef(0)
export const linkState = shallowRef<LinkState>('connecting')
/** Server time (ms) when anything was last heard. */
export const heardAt = shallowRef(0)
export const loaded = shallowRef(false)
export const summary = shallowRef<Summary | null>(null)
export const areas = shallowRef<Area[]>([])
export const stations = shallowRef<Station[]>([])
export const responders = shallowRef<Responder[]>([])
/** False while the hub says that its database is away: what is shown may be old, and nothing can be claimed. */
export const databaseUp = shallowRef(true)
/** What the hub says of that time; null: everything is in the database. */
export const dark = shallowRef<Dark | null>(null)
/** Alarms that came meanwhile, the newest last. */
export const provisional = shallowRef<Provisional[]>([])
export const site = shallowRef<Site | null>(null)
export const serviceKinds = shallowRef<ServiceKind[]>([])
/** Who looks at which incident, one's own looks included. */
export const presence = shallowRef<ReadonlyMap<string, Named[]>>(new Map())
/** Incidents whose further press nobody has looked at yet. */
export const pressedAgain = shallowReactive(new Set<string>())

type Listener = (effects: Effects) => void
const listeners: Listener[] = []
export function onLive(listener: Listener): () => void {
  listeners.push(listener)
  return () => {
    const at = listeners.indexOf(listener)
    if (at >= 0) listeners.splice(at, 1)
  }
}

export const incidents = computed<ReadonlyMap<string, Incident>>(() => (revision.value, new Map(state.incidents)))
export const ended = computed<ReadonlyMap<string, Incident>>(() => (revision.value, new Map(state.ended)))

export const unclaimed = computed(() => {
  const counts: Record<Priority, number> = { critical: 0, high: 0, medium: 0, low: 0 }
  const now = tick.value
  for (const incident of incidents.value.values()) if (isUnclaimed(incident, now)) counts[incident.priority]++
  return counts
})

/** When the flood that goes on began (ms); null: there is none. */
export const floodBegan = computed(() => (revision.value, floodSince(state.alarmTimes, tick.value)))
export const flood = computed(() => floodBegan.value !== null)

export const lastAlarmAt = computed(() => {
  let latest = summary.value?.last_alarm_at ?? null
  for (const incident of incidents.value.values()) {
    if (incident.class !== 'technical' && (latest === null || incident.last_alarm_at > latest)) latest = incident.last_alarm_at
  }
  return latest
})

export function incidentById(id: string): Incident | undefined {
  return state.incidents.get(id) ?? state.ended.get(id)
}

/** Takes the answer to an action: the page shows it without waiting for the stream. */
export function takeIncident(incident: Incident): void {
  if (putIncident(state, incident)) {
    revision.value++
    const effects = noEffects()
    effects.touched.add(incident.id)
    for (const listener of listeners) listener(effects)
  }
}

export function takeAssignment(assignment: Assignment): void {
  if (putAssignment(state, assignment)) revision.value++
}

let queued: LiveEvent[] = []
let flushTimer: ReturnType<typeof setTimeout> | null = null

function flush(): void {
  if (flushTimer !== null) clearTimeout(flushTimer)
  flushTimer = null
  const effects = noEffects()
  const events = queued
  queued = []
  for (const event of events) {
    if (event.event === 'hb') {
      const beat = event.data as { server_time?: string; database?: boolean; dark?: Dark | null } | null
      syncClock(beat?.server_time)
      databaseUp.value = beat?.database !== false
      dark.value = beat?.dark ?? null
      // Taken over: from here on they are incidents like all others.
      if (!dark.value && provisional.value.length) provisional.value = []
    } else apply(state, event, effects)
  }
  heardAt.value = serverNow()
  for (const id of effects.realerted) pressedAgain.add(id)
  if (effects.provisional.length) {
    const known = new Set(provisional.value.map((one) => one.number))
    provisional.value = [...provisional.value, ...effects.provisional.filter((one) => !known.has(one.number))].slice(-500)
  }
  if (effects.touched.size) revision.value++
  if (effects.moved.length) takeMoves(effects.moved)
  if (effects.presence) refreshLater('responders')
  if (effects.present) setPresence(effects.present)
  if (effects.devices) refreshLater('summary')
  for (const listener of listeners) listener(effects)
}

/** Where they are now, without asking for everybody anew. */
function takeMoves(moved: readonly Moved[]): void {
  const last = new Map(moved.map((one) => [one.responder_id, one]))
  responders.value = responders.value.map((one) => {
    const seen = last.get(one.id)
    if (!seen || (one.position_at && Date.parse(one.position_at) > Date.parse(seen.position_at))) return one
    return { ...one, lat: seen.lat, lon: seen.lon, position_at: seen.position_at, position_accuracy_m: seen.position_accuracy_m }
  })
}

function isUrgent(event: LiveEvent): boolean {
  const incident = (event.data as { incident?: Incident } | null)?.incident
  return event.event.startsWith('incident.') && incident?.priority === 'critical'
}

const link = new SharedLink(() => session.value?.user.id ?? '', {
  state(next) {
    linkState.value = next
  },
  events(events) {
    queued.push(...events)
    if (events.some(isUrgent)) flush()
    else flushTimer ??= setTimeout(flush, 100)
  },
  reset() {
    void snapshot()
  },
})

type Picture = [{ items: Incident[]; cursor: string | null }, Summary]
const ask = (): Promise<Picture> => Promise.all([getAll<Incident>('/incidents', { state: 'live' }), get<Summary>('/summary')])
let early: { sentAt: number; picture: Promise<Picture> } | null = null

/** Asked for before anybody knows who sits here: where the cookie holds, the first row stands a round trip sooner. */
export function askEarly(): void {
  early = { sentAt: Date.now(), picture: ask() }
  // Without a session it is refused, and asked for again after the sign-in.
  early.picture.catch(() => (early = null))
}

/** A whole picture at once, for the wall's own screen: it has no account, and so no stream. */
export function showPicture(found: { incidents: Incident[]; site: Pick<Site, 'name' | 'time_zone'>; devices: Summary['devices'] }): void {
  load(state, found.incidents)
  site.value = { ...found.site, phone: '', tiles: null, retention_days: {}, session_hours: 0, lease_seconds: 0, supervision_sample: 0 }
  summary.value = { unclaimed: { critical: 0, high: 0, medium: 0, low: 0 }, mine: 0, last_alarm_at: null, devices: found.devices, technical_open: 0, server_time: '' }
  heardAt.value = serverNow()
  linkState.value = 'live'
  loaded.value = true
  revision.value++
}

let snapshotRun = 0

/** Fetches everything anew and opens the stream where the snapshot ends. Repeats until it worked or another one began. */
export async function snapshot(): Promise<void> {
  const run = ++snapshotRun
  for (let wait = 500; ; wait = Math.min(8000, wait * 2)) {
    try {
      const begun = early ?? { sentAt: Date.now(), picture: ask() }
      early = null
      const sentAt = begun.sentAt
      const [list, counts] = await begun.picture
      if (run !== snapshotRun) return
      syncClock(counts.server_time, sentAt, Date.now())
      summary.value = counts
      load(state, list.items)
      heardAt.value = serverNow()
      revision.value++
      loaded.value = true
      link.start(list.cursor ?? counts.cursor ?? null)
      void refresh('responders')
      void get<Page<PresenceRow>>('/presence').then((page) => setPresence(page.items), () => {})
      return
    } catch {
      if (run !== snapshotRun) return
      const found = await browserDeps.probe()
      if (run !== snapshotRun) return
      linkState.value = found === 'signed_out' ? 'signed_out' : 'down'
      if (found === 'signed_out') return
      await new Promise((done) => setTimeout(done, wait * (0.5 + Math.random() / 2)))
    }
  }
}

/** Places change rarely: once per sign-in. A failure leaves the map plain and the queue untouched. */
export async function loadPlaces(): Promise<void> {
  const [foundAreas, foundStations, foundSite, foundKinds] = await Promise.allSettled([getAll<Area>('/areas', { active: 'true' }), getAll<Station>('/stations'), get<Site>('/site'), get<Page<ServiceKind>>('/service-kinds')])
  if (foundKinds.status === 'fulfilled') serviceKinds.value = foundKinds.value.items
  if (foundSite.status === 'fulfilled') site.value = foundSite.value
  if (foundAreas.status === 'fulfilled') areas.value = foundAreas.value.items
  if (foundStations.status === 'fulfilled') stations.value = foundStations.value.items
}

async function refresh(what: 'responders' | 'summary'): Promise<void> {
  try {
    if (what === 'responders') responders.value = (await getAll<Responder>('/responders')).items
    else summary.value = await get<Summary>('/summary')
  } catch {
    // the link's own state says that the hub is away; the next event asks again
  }
}

function setPresence(rows: readonly PresenceRow[]): void {
  const next = new Map<string, Named[]>()
  for (const row of rows) next.set(row.incident_id, [...(next.get(row.incident_id) ?? []), row.user])
  presence.value = next
}

/** Said at once on a change and every ten seconds after it, while the page can be seen. A failure is silent: it is said again. */
const LOOK_EVERY_MS = 10_000
let looksAt: string | null = null
let said: string | null = null
function sayLook(): void {
  const now = document.visibilityState === 'visible' ? looksAt : null
  if (now === null && said === null) return
  said = now
  if (session.value && linkState.value === 'live') post<Page<PresenceRow>>('/presence', { incident_id: now }, { key: '' }).then((page) => setPresence(page.items), () => {})
}
export function look(incidentId: string | null): void {
  if (incidentId === looksAt) return
  looksAt = incidentId
  sayLook()
}

const later = new Map<string, ReturnType<typeof setTimeout>>()
/** At most one request per kind and two seconds, however many events ask for it. */
function refreshLater(what: 'responders' | 'summary'): void {
  if (later.has(what)) return
  later.set(
    what,
    setTimeout(() => {
      later.delete(what)
      void refresh(what)
    }, 2000),
  )
}

export function stopLive(): void {
  snapshotRun++
  link.stop()
}

/** The order events of the stream, for pages that list orders. */
export function onOrders(listener: (orders: Order[]) => void): () => void {
  return onLive((effects) => {
    if (effects.orders.length) listener(effects.orders)
  })
}

export function wakeLink(): void {
  link.wake()
}

if (typeof window !== 'undefined') {
  addEventListener('online', wakeLink)
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') wakeLink()
    sayLook()
  })
  setInterval(sayLook, LOOK_EVERY_MS)
  setInterval(() => {
    if (session.value && linkState.value === 'live') refreshLater('summary')
  }, 60_000)
}

/** Nothing can be done for an incident while there is no link: a pressed button would promise what it cannot keep. */
export const mayAct = computed(() => databaseUp.value && linkState.value !== 'down' && linkState.value !== 'signed_out')
/** Plans and new orders are the district's: an account of a provider reads them. */
export const mayPlan = computed(() => mayAct.value && !session.value?.user.provider_id)
