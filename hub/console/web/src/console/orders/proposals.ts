/** Proposals for the day shown: asked for, looked at on the chart, published or dropped. One is open at a time, on whichever part of the page. */
import { computed, ref, shallowRef, watch } from 'vue'
import { get, newKey, post, query } from '../../core/http.ts'
import { t } from '../../core/i18n.ts'
import { toast } from '../../ui/toasts.ts'
import { explain } from '../actions.ts'
import { carers, day, loadDay, loadPlans, orders } from './day-store.ts'
import { rowsOf } from './gantt.ts'
import type { Compared, DayEvent, DayPlan, DayRoute } from './types.ts'

export const proposal = shallowRef<DayPlan | null>(null)
export const compared = shallowRef<Compared | null>(null)
export const proposalRoutes = shallowRef<DayRoute[] | null>(null)
export const proposalProblem = ref('')
export const busy = ref(false)
/** Whether chart and map show the proposal instead of what stands. */
export const previewing = ref(true)

let run = 0
const path = (id: string) => `/plans/${encodeURIComponent(id)}`

/** Opens a plan: itself, how it compares, its routes. Watches it as long as it is being made. */
export async function openProposal(id: string): Promise<void> {
  const mine = ++run
  proposalProblem.value = ''
  previewing.value = true
  if (proposal.value?.id !== id) proposal.value = compared.value = proposalRoutes.value = null
  try {
    for (;;) {
      const plan = await get<DayPlan>(path(id))
      if (mine !== run) return
      proposal.value = plan
      if (plan.state !== 'running') break
      await new Promise((done) => setTimeout(done, 700))
      if (mine !== run) return
    }
    if (!['ready', 'published'].includes(proposal.value!.state)) return
    const [sums, routes] = await Promise.all([get<Compared>(`${path(id)}/compare`, { timeoutMs: 60_000 }), get<{ items: DayRoute[] }>(`/routes${query({ date: proposal.value!.date, plan: id })}`, { timeoutMs: 60_000 })])
    if (mine !== run) return
    compared.value = sums
    proposalRoutes.value = routes.items
  } catch (error) {
    if (mine === run) proposalProblem.value = explain(error)
  }
}

export function closeProposal(): void {
  run++
  proposal.value = compared.value = proposalRoutes.value = null
  proposalProblem.value = ''
}
watch(day, closeProposal)

/** Plans around what happened; with a proposal open that stands ready, on top of it. Throws what the hub says. */
export async function replan(events: DayEvent[]): Promise<void> {
  const on = proposal.value?.state === 'ready' && proposal.value.date === day.value ? proposal.value.id : undefined
  const plan = await post<DayPlan>('/plans/replan', { date: day.value, events, ...(on ? { on } : {}) }, { key: newKey(), timeoutMs: 60_000 })
  void loadPlans()
  void openProposal(plan.id)
}

export async function publish(options: { accepted: boolean; tell: boolean }): Promise<void> {
  const plan = proposal.value
  if (!plan || busy.value) return
  busy.value = true
  proposalProblem.value = ''
  try {
    await post<DayPlan>(`${path(plan.id)}/publish`, options, { timeoutMs: 120_000 })
    toast(t('orders.plan.published', { day: plan.date }))
    closeProposal()
    await loadDay()
  } catch (error) {
    proposalProblem.value = explain(error)
  } finally {
    busy.value = false
  }
}

/** Stops a plan that is being made, drops one that is ready. */
export async function drop(id: string): Promise<void> {
  if (busy.value) return
  busy.value = true
  try {
    const plan = await post<DayPlan>(`${path(id)}/cancel`)
    toast(t('orders.plan.dropped'), 'note')
    if (proposal.value?.id === id) closeProposal()
    else if (plan) void openProposal(id)
    await loadPlans()
  } catch (error) {
    proposalProblem.value = explain(error)
  } finally {
    busy.value = false
  }
}

export const shownProposal = computed(() => (previewing.value && proposalRoutes.value && proposal.value?.state === 'ready' ? proposal.value : null))
/** The rows as the proposal has them; null: nothing is previewed. */
export const proposed = computed(() => (shownProposal.value ? rowsOf({ orders: orders.value, routes: proposalRoutes.value!, carers: carers.value, proposal: true }) : null))
export const changedVisits = computed(() => new Set(shownProposal.value ? (compared.value?.changes ?? shownProposal.value.changes).map((one) => one.visit_id) : []))
