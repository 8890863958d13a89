/** The phone's state: tasks from the hub, steps from the outbox, one live link. */
import { computed, shallowRef, watch } from 'vue'
import { clockOffset, restoreClock, serverNow, setZone, syncClock, tick } from '../core/clock.ts'
import { explain } from '../core/explain.ts'
import { Problem, get, newKey, post } from '../core/http.ts'
import { chooseLanguage, setLanguage } from '../core/i18n.ts'
import { inTurn } from '../core/in-turn.ts'
import { Link, type LinkState } from '../core/link.ts'
import { browserDeps } from '../core/link-browser.ts'
import { askSession, onSignedIn, session, sessionState } from '../core/session.ts'
import { remember, remembered } from '../core/settings.ts'
import { Player } from '../core/player.ts'
import type { Assignment, Task } from '../core/types.ts'
import { Outbox, byImportance, project, taken, type Queued, type Step } from './outbox.ts'
import { forget, keep, kept, outboxStore, type Kept } from './storage.ts'

export interface Here {
  lat: number
  lon: number
  accuracy_m: number
  source: 'gnss'
  observed_at: string
}

const POLL_MS = 30_000
export const RING_MS = 60_000

export const tasks = shallowRef<Task[]>([])
export const queued = shallowRef<readonly Queued[]>([])
export const linkState = shallowRef<LinkState>('connecting')
/** Server time (ms) of what the screen shows; null before anything was fetched. */
export const asOf = shallowRef<number | null>(null)
export const soundReady = shallowRef(false)
/** The desk's own number: what to ring when nothing else works. */
export const deskPhone = shallowRef(remembered('desk') ?? '')
/** Signed in, but not as somebody who goes out. */
export const wrongRole = shallowRef(false)

export const cards = computed(() =>
  project(tasks.value, queued.value)
    .filter((card) => !card.task.meal && (card.next !== null || card.pending > 0))
    .sort(byImportance),
)
export const refused = computed(() => queued.value.filter((item) => item.refused !== null))
export const waiting = computed(() => queued.value.filter((item) => item.refused === null))
export const offline = computed(() => linkState.value === 'down' || sessionState.value === 'unreachable')

let outbox: Outbox | null = null

/** Where a stream misses nothing of what came after the list. */
let place: string | null = null

export const refresh = inTurn(async () => {
  try {
    const sentAt = Date.now()
    const answer = await get<{ items: Task[]; server_time: string; cursor?: string; phone?: string }>('/my/tasks')
    syncClock(answer.server_time, sentAt, Date.now())
    remember('clock', String(clockOffset() ?? ''))
    tasks.value = answer.items
    place = answer.cursor ?? null
    deskPhone.value = answer.phone ?? ''
    remember('desk', deskPhone.value)
    wrongRole.value = false
    asOf.value = Date.parse(answer.server_time) || serverNow()
    if (session.value) void keep({ session: session.value, tasks: answer.items, at: asOf.value } satisfies Kept)
  } catch (error) {
    // Without a signal the link's state says so, and the old tasks stay with their time.
    if (error instanceof Problem && error.status === 403) wrongRole.value = true
  }
})

let soon: ReturnType<typeof setTimeout> | null = null
function refreshSoon(): void {
  soon ??= setTimeout(() => {
    soon = null
    void refresh()
  }, 250)
}

const link = new Link(browserDeps, {
  state(next) {
    linkState.value = next
    if (next === 'live') {
      // What happened in the gap is in the list itself.
      refreshSoon()
      outbox?.wake()
    }
  },
  events(events) {
    if (events.some((e) => e.event !== 'hb' && e.event !== 'device.updated')) refreshSoon()
    for (const e of events) if (e.event === 'hb') syncClock((e.data as { server_time?: string } | null)?.server_time)
  },
  reset() {
    void refresh().then(() => link.start(place))
  },
})

/** The last position, only while somebody goes somewhere (`UnderWay.vue` sets it): it goes with "arrived". */
export const here = shallowRef<Here | null>(null)
/** On the way to anything, or called to an emergency and about to go: the hub wants to know where, and at no other time. */
export const goes = computed(() => cards.value.some((card) => card.state === 'en_route' || (card.state === 'accepted' && card.task.incident)))

/** Keeps the step on the phone, shows it at once, sends it when it can. */
export async function press(task: Task, step: Step, body: Record<string, unknown> = {}, path?: string): Promise<void> {
  const fix = here.value
  const fresh = step === 'on-scene' && fix && serverNow() - Date.parse(fix.observed_at) < 120_000 ? { fix } : {}
  await outbox?.add({
    key: newKey(),
    assignment: task.assignment.id,
    step,
    path: path ?? `/assignments/${encodeURIComponent(task.assignment.id)}/${step}`,
    body: { ...body, ...fresh, at: new Date(serverNow()).toISOString() },
    name: task.incident?.resident?.name ?? task.order?.resident?.name ?? '',
  })
}

export async function dismiss(seq: number): Promise<void> {
  await outbox?.dismiss(seq)
}

const player = new Player()
const rung = new Map<string, number>()
const quiet = shallowRef<ReadonlySet<string>>(new Set())
export const rungSince = (id: string) => rung.get(id) ?? Date.now()

/** The critical task that asks for an answer over the whole screen. */
export const ringing = computed(() => {
  void tick.value
  return cards.value.find((card) => card.next === 'accept' && card.task.incident?.priority === 'critical' && !quiet.value.has(card.task.assignment.id) && Date.now() - rungSince(card.task.assignment.id) < RING_MS) ?? null
})

export function hush(id: string): void {
  quiet.value = new Set([...quiet.value, id])
}

/** A critical task rings until it is taken, for a minute: then the hub has gone on to the next person. */
function ring(): void {
  const now = Date.now()
  for (const card of cards.value) {
    if (card.next !== 'accept' || card.task.incident?.priority !== 'critical' || quiet.value.has(card.task.assignment.id)) continue
    const since = rung.get(card.task.assignment.id) ?? now
    rung.set(card.task.assignment.id, since)
    if (now - since > RING_MS) continue
    player.play('critical')
    navigator.vibrate?.([300, 150, 300, 150, 300])
    return
  }
}

let before = new Set<string>()
watch(cards, (list) => {
  const offered = list.filter((card) => card.next === 'accept').map((card) => card.task.assignment.id)
  const fresh = offered.filter((id) => !before.has(id))
  before = new Set(offered)
  if (!fresh.length) return
  if (list.some((card) => fresh.includes(card.task.assignment.id) && card.task.incident?.priority === 'critical')) ring()
  else {
    player.play('high')
    navigator.vibrate?.(200)
  }
})

export async function unlockSound(): Promise<void> {
  soundReady.value = await player.unlock()
}

export async function leave(): Promise<void> {
  link.stop()
  await forget()
}

export async function start(): Promise<void> {
  const offset = remembered('clock')
  if (offset) restoreClock(Number(offset))
  outbox = new Outbox(await outboxStore(), {
    async send(item) {
      const answer = await post<Assignment>(item.path, item.body, { key: item.key, timeoutMs: 20000 })
      // Before the step leaves the outbox, or the card would fall back a step until the list is fetched.
      tasks.value = taken(tasks.value, answer)
      refreshSoon()
    },
    after(ms, run) {
      const id = setTimeout(run, ms)
      return () => clearTimeout(id)
    },
    changed(items) {
      queued.value = items
    },
    explain,
  })
  onSignedIn((found) => {
    void outbox?.open(found.user.id)
    void refresh().then(() => link.start(place))
  })
  watch(sessionState, (state) => {
    if (state === 'signed_out') link.stop()
  })
  const last = await kept()
  await askSession()
  if (last && !session.value && sessionState.value === 'unreachable') {
    // No signal at the start: yesterday's sign-in and tasks are still right enough to work with.
    setZone(last.session.time_zone)
    setLanguage(chooseLanguage(location.search, last.session.user.language, remembered('language')))
    tasks.value = last.tasks
    asOf.value = last.at
    await outbox.open(last.session.user.id)
  }
  addEventListener('online', () => {
    link.wake()
    outbox?.wake()
    void refresh()
  })
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState !== 'visible') return
    link.wake()
    outbox?.wake()
    void refresh()
  })
  setInterval(() => {
    if (session.value && (linkState.value !== 'live' || link.polling)) void refresh()
  }, POLL_MS)
  setInterval(ring, 4000)
  // With the click, not with the touch: what goes away when sound is on must not move what is being pressed.
  addEventListener('click', () => void unlockSound(), { once: true })
  void navigator.storage?.persist?.()
}
