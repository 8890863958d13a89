/** What the queue shows: shared by the header's counters and search and by the queue itself. */
import { shallowReactive, shallowRef } from 'vue'
import type { Tab } from '../core/order.ts'
import type { AlarmClass, Priority } from '../core/types.ts'
import { addressOf, type Shown } from './queue-address.ts'

export const tab = shallowRef<Tab>('open')
export const levelFilter = shallowReactive(new Set<Priority>())
export const classFilter = shallowReactive(new Set<AlarmClass>())
/** An area's id: it and everything below it. */
export const areaFilter = shallowRef<string | null>(null)
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
  areaFilter.value = null
  search.value = ''
}

/** As the address has it; reading it is what makes it follow. */
export const queueAddress = (): string => addressOf({ tab: tab.value, levels: [...levelFilter], classes: [...classFilter], area: areaFilter.value })

/** Somebody came by an address that says what to show. */
export function show(shown: Shown): void {
  levelFilter.clear()
  classFilter.clear()
  tab.value = shown.tab
  for (const level of shown.levels) levelFilter.add(level)
  for (const name of shown.classes) classFilter.add(name)
  areaFilter.value = shown.area
}
