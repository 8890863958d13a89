/** Why the plan in force left a visit out. The list of plans comes without it: asked for once a plan. */
import { shallowRef, watch } from 'vue'
import { get } from '../../core/http.ts'
import { standing } from './day-store.ts'
import type { DayPlan, LeftOut } from './types.ts'

export const leftOut = shallowRef<ReadonlyMap<string, LeftOut>>(new Map())
watch(
  () => standing.value?.id,
  async (id) => {
    leftOut.value = new Map()
    if (!id || !standing.value?.counts.unplanned) return
    try {
      const plan = await get<DayPlan>(`/plans/${encodeURIComponent(id)}`)
      if (standing.value?.id === id) leftOut.value = new Map(plan.unplanned.map((one) => [one.visit_id, one]))
    } catch {
      // the visits stand there without their reason
    }
  },
  { immediate: true },
)
