/** What the queue shows: shared by the header's counters and search and by the queue itself. */
import { shallowReactive, shallowRef } from 'vue'
import type { Tab } from '../core/order.ts'
import type { AlarmClass, Priority } from '../core/types.ts'

export const tab = shallowRef<Tab>('open')
export const levelFilter = shallowReactive(new Set<Priority>())
export const classFilter = shallowReactive(new Set<AlarmClass>())
export const search = shallowRef('')
export const mapOpen = shallowRef(true)

export function toggle<T>(set: Set<T>, value: T): void {
  if (!set.delete(value)) set.add(value)
}

/** The header's counter: only this level of the unclaimed; pressed again, all of them. */
export function filterLevel(level: Priority): void {
  const only = levelFilter.size === 1 && levelFilter.has(level) && tab.value === 'open'
  levelFilter.clear()
  if (!only) levelFilter.add(level)
  tab.value = 'open'
}

export function clearFilters(): void {
  levelFilter.clear()
  classFilter.clear()
  search.value = ''
}
