/** What the queue shows, as its address says it: a link to it can be kept and passed on. Pure. */
import { TABS, type Tab } from '../core/order.ts'
import { CLASSES, PRIORITIES, type AlarmClass, type Priority } from '../core/types.ts'

export interface Shown {
  tab: Tab
  levels: readonly Priority[]
  classes: readonly AlarmClass[]
  area: string | null
}

const NAMES = ['tab', 'level', 'class', 'area']

/** `?…`, or nothing where everything is shown. What somebody searches for is a name, and stays out of the browser's history. */
export function addressOf(shown: Shown): string {
  const params = new URLSearchParams()
  if (shown.tab !== 'open') params.set('tab', shown.tab)
  for (const level of PRIORITIES) if (shown.levels.includes(level)) params.append('level', level)
  for (const name of CLASSES) if (shown.classes.includes(name)) params.append('class', name)
  if (shown.area !== null) params.set('area', shown.area)
  const text = params.toString()
  return text ? `?${text}` : ''
}

/** null: the address says nothing about it. Words that mean nothing here are left out. */
export function shownBy(params: URLSearchParams): Shown | null {
  if (!NAMES.some((name) => params.has(name))) return null
  const tab = params.get('tab')
  return {
    tab: TABS.find((one) => one === tab) ?? 'open',
    levels: PRIORITIES.filter((one) => params.getAll('level').includes(one)),
    classes: CLASSES.filter((one) => params.getAll('class').includes(one)),
    area: params.get('area') || null,
  }
}
