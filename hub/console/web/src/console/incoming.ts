/** Calls that come in: who rings at the desk, and which of them this seat has taken. Told by the stream, asked for beside it. */
import { computed, shallowRef, watch } from 'vue'
import { serverNow, tick } from '../core/clock.ts'
import { Problem, call as request, get } from '../core/http.ts'
import { t } from '../core/i18n.ts'
import { me, session } from '../core/session.ts'
import type { Call, Incident, ResidentBrief } from '../core/types.ts'
import { toast } from '../ui/toasts.ts'
import { explain } from './actions.ts'
import { go } from './route.ts'
import { callWaits } from './sounds.ts'
import { linkState, onLive } from './store.ts'
import { telling } from './told.ts'

export interface Incoming {
  call: Call
  caller: {
    kind: 'resident' | 'contact' | 'responder' | 'unknown'
    id: string | null
    name: string | null
    relation: string | null
    residents: Pick<ResidentBrief, 'id' | 'name' | 'age' | 'address'>[]
    incident: Incident | null
  }
}

/** No telephone rings longer; the hub forgets it then, and so does the page. */
const RINGS_MS = 120_000
const EVERY_MS = 20_000
const found = shallowRef<readonly Incoming[]>([])
const taking = new Set<string>()

/** What this seat sees: what rings, and what it speaks on itself. The longest waiting first. */
export const calls = computed(() => found.value.filter(({ call }) => (call.answered_at === null ? tick.value - Date.parse(call.started_at) < RINGS_MS : (call.answered_by?.id ?? me.value?.id) === me.value?.id)))
export const rings = (one: Incoming): boolean => one.call.answered_at === null

let run = 0
async function look(): Promise<void> {
  // Emergencies and their calls are the district's: an account of a provider does not ask.
  if (!session.value || session.value.user.provider_id || linkState.value !== 'live') return
  const mine = ++run
  const page = await get<{ items: Incoming[] }>('/calls/incoming').catch(() => null)
  if (page && mine === run) found.value = page.items
}

async function change(call: Call, body: Record<string, unknown>): Promise<boolean> {
  try {
    await request<Call>('PATCH', `/calls/${encodeURIComponent(call.id)}`, { body })
    return true
  } catch (error) {
    toast(error instanceof Problem && error.lost && error.by?.name ? t('incoming.taken', { who: error.by.name }) : explain(error), 'bad')
    return false
  } finally {
    void look()
  }
}

const now = () => new Date(serverNow()).toISOString()

/** Takes the call and opens what it is about: the live incident, or the form with what is known of the caller. */
export async function take(one: Incoming): Promise<void> {
  if (taking.has(one.call.id)) return
  taking.add(one.call.id)
  try {
    // Answered by this seat already: the key opens it again.
    if (one.call.answered_by?.id !== me.value?.id && !(await change(one.call, { answered_at: now() }))) return
    if (one.caller.incident) go('alarms', one.caller.incident.id)
    else write(one)
  } finally {
    taking.delete(one.call.id)
  }
}

export function write(one: Incoming): void {
  telling.value = { call: one.call, name: one.caller.name ?? '', phone: one.call.number, residents: one.caller.residents }
}

export const end = (one: Incoming): Promise<boolean> => change(one.call, { ended_at: now(), outcome: one.call.answered_at ? 'answered' : 'no_answer' })

export function watchCalls(): void {
  watch(linkState, () => void look(), { immediate: true })
  watch([calls], () => (callWaits.value = calls.value.some(rings)), { immediate: true })
  onLive((effects) => {
    if (effects.calls) void look()
  })
  // One that the telephone system never ended, and one whose event was lost.
  setInterval(() => void look(), EVERY_MS)
}
