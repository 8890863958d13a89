/** The state of the family's page: what the hub says, and the call for help, which is sent until it is confirmed. */
import { computed, shallowRef, watch } from 'vue'
import { syncClock } from '../core/clock.ts'
import { explain } from '../core/explain.ts'
import { Problem, get, newKey, post } from '../core/http.ts'
import { inTurn } from '../core/in-turn.ts'
import { Link, type LinkState } from '../core/link.ts'
import { browserDeps } from '../core/link-browser.ts'
import { askSession, onSignedIn, sessionState } from '../core/session.ts'
import { remember, remembered } from '../core/settings.ts'
import type { AssignmentState, Incident, Order, ResidentBrief, Visit } from '../core/types.ts'

export type Purpose = 'status' | 'health' | 'photos'

/** A service of today, with what was promised and how late it is. */
export type Service = Order & { late?: string | null; visit: (Visit & { promised_from?: string | null; promised_to?: string | null }) | null }

export interface Help {
  resident: ResidentBrief
  incident: Incident | null
  coming: { name: string; kind: string; state: AssignmentState; eta_s: number | null }[]
  today: Service[]
  shown: { heard_at: string | null; values: { metric: string; value: number | null; state: string | null; observed_at: string }[] | null }
  consents: { items: { purpose: Purpose; granted: boolean; since: string | null }[]; may_change: boolean }
  phone: string
  server_time: string
  cursor: string
}

const POLL_MS = 30_000
const OPEN_MS = 5_000

export const help = shallowRef<Help | null>(null)
export const linkState = shallowRef<LinkState>('connecting')
/** Signed in, but neither family nor resident. */
export const wrongRole = shallowRef(false)
export const offline = computed(() => linkState.value === 'down' || sessionState.value === 'unreachable')
/** The desk's number, also without a signal. */
export const deskPhone = shallowRef(remembered('desk') ?? '')
/** A call that no answer has confirmed yet: it is repeated with the same key, so that it is one call. */
export const calling = shallowRef<{ key: string; tries: number; since: number } | null>(null)
export const callProblem = shallowRef<string | null>(null)

function took(answer: Help): void {
  syncClock(answer.server_time)
  help.value = answer
  deskPhone.value = answer.phone
  remember('desk', answer.phone)
}

export const refresh = inTurn(async () => {
  try {
    took(await get<Help>('/my/help'))
    wrongRole.value = false
  } catch (error) {
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
    if (next === 'live') refreshSoon()
  },
  events(events) {
    if (events.some((e) => e.event !== 'hb')) refreshSoon()
    for (const e of events) if (e.event === 'hb') syncClock((e.data as { server_time?: string } | null)?.server_time)
  },
  reset() {
    void refresh().then(() => link.start(help.value?.cursor ?? null))
  },
})

const RETRY_MS = [1000, 2000, 3000, 5000]

/** Sends the call until the hub has it. What cannot be sent says so at once: whoever waits must ring instead. */
export async function callForHelp(): Promise<void> {
  if (calling.value) return
  calling.value = { key: newKey(), tries: 0, since: Date.now() }
  callProblem.value = null
  while (calling.value) {
    try {
      await post('/my/help', {}, { key: calling.value.key, timeoutMs: 8000 })
      calling.value = null
      await refresh()
      return
    } catch (error) {
      const again = !(error instanceof Problem) || error.unreachable || error.status === 429 || error.code === 'in-progress'
      callProblem.value = explain(error)
      if (!again) {
        calling.value = null
        return
      }
      const tries: number = calling.value!.tries
      calling.value = { ...calling.value!, tries: tries + 1 }
      await new Promise((done) => setTimeout(done, RETRY_MS[Math.min(tries, RETRY_MS.length - 1)]))
    }
  }
}

/** The call is no longer wanted, and was never taken. */
export function giveUp(): void {
  calling.value = null
  callProblem.value = null
}

export async function setStatus(status: 'home' | 'away'): Promise<void> {
  await post('/my/status', { status })
  await refresh()
}

export async function decide(purpose: Purpose, granted: boolean): Promise<void> {
  await post('/my/consents', { purpose, granted })
  await refresh()
}

export async function start(): Promise<void> {
  onSignedIn(() => void refresh().then(() => link.start(help.value?.cursor ?? null)))
  watch(sessionState, (state) => {
    if (state === 'signed_out') link.stop()
  })
  await askSession()
  addEventListener('online', () => (link.wake(), void refresh()))
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState !== 'visible') return
    link.wake()
    void refresh()
  })
  let last = 0
  setInterval(() => {
    const now = Date.now()
    const every = help.value?.incident ? OPEN_MS : POLL_MS
    if (sessionState.value !== 'signed_in' || (linkState.value === 'live' && !link.polling && now - last < POLL_MS) || now - last < every) return
    last = now
    void refresh()
  }, 1000)
}
