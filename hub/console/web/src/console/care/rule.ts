/** Recurrence rules as people choose them: every so many days, on weekdays, on days of the month. The rest is typed. */

export const WEEKDAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'] as const
export type Weekday = (typeof WEEKDAYS)[number]

export interface Simple {
  freq: 'DAILY' | 'WEEKLY' | 'MONTHLY'
  interval: number
  days: Weekday[]
  monthDays: number[]
}

export function toRule(one: Simple): string {
  const parts = [`FREQ=${one.freq}`]
  if (one.interval > 1) parts.push(`INTERVAL=${one.interval}`)
  if (one.freq === 'WEEKLY' && one.days.length) parts.push(`BYDAY=${WEEKDAYS.filter((day) => one.days.includes(day)).join(',')}`)
  if (one.freq === 'MONTHLY' && one.monthDays.length) parts.push(`BYMONTHDAY=${[...one.monthDays].sort((a, b) => a - b).join(',')}`)
  return parts.join(';')
}

/** Null where the rule says more than the choices can show. */
export function fromRule(rule: string): Simple | null {
  const parts = new Map(rule.split(';').map((piece) => piece.split('=') as [string, string]))
  const freq = parts.get('FREQ')
  if (freq !== 'DAILY' && freq !== 'WEEKLY' && freq !== 'MONTHLY') return null
  const allowed = new Set(['FREQ', 'INTERVAL', ...(freq === 'WEEKLY' ? ['BYDAY'] : []), ...(freq === 'MONTHLY' ? ['BYMONTHDAY'] : [])])
  if ([...parts.keys()].some((name) => !allowed.has(name))) return null
  const days = (parts.get('BYDAY') ?? '').split(',').filter(Boolean)
  const monthDays = (parts.get('BYMONTHDAY') ?? '').split(',').filter(Boolean).map(Number)
  if (days.some((day) => !(WEEKDAYS as readonly string[]).includes(day)) || monthDays.some((day) => !(day >= 1 && day <= 31))) return null
  return { freq, interval: Number(parts.get('INTERVAL') ?? 1), days: days as Weekday[], monthDays }
}

type Say = (key: string, values?: Record<string, string | number>) => string

/** The rule in words; what cannot be said simply is shown as it is written. */
export function ruleText(rule: string, say: Say): string {
  const one = fromRule(rule)
  if (!one) return rule
  const every = one.interval > 1 ? say(`care.every.${one.freq}`, { n: one.interval }) : say(`care.each.${one.freq}`)
  const on = one.freq === 'WEEKLY' ? one.days.map((day) => say(`care.day.${day}`)).join(say('care.and')) : one.monthDays.map((day) => say('care.monthday', { n: day })).join(say('care.and'))
  if (!on) return every
  return one.freq === 'WEEKLY' && one.interval === 1 ? say('care.weekly', { on }) : say('care.on', { every, on })
}
