/** What the server says in codes, in the reader's words. */
import { clockTime, shortTime, span } from '../core/clock.ts'
import { distance } from '../core/geo.ts'
import { hasWord, language, t, word, type Params } from '../core/i18n.ts'
import { sourceText } from '../core/position.ts'
import type { Fix, Incident, Reason, TimelineEntry } from '../core/types.ts'
import { serviceKinds } from './store.ts'

/** A reason by its code, with its values; without a wording here, the server's sentence. */
export function reasonText(reason: Reason): string {
  const values: Params = {}
  for (const [name, value] of Object.entries(reason.values ?? {})) {
    values[name] = typeof value === 'boolean' ? (value ? '✓' : '✗') : value
    if (name.endsWith('_m') && typeof value === 'number') values[name] = distance(value)
    if (name.endsWith('_s') && typeof value === 'number') values[`${name.slice(0, -2)}_min`] = Math.max(1, Math.round(value / 60))
    if (name.endsWith('_at') && typeof value === 'string') values[name] = shortTime(value)
    if (name === 'type' && typeof value === 'string') values.type_word = word('type', value)
    if (name === 'skill' && typeof value === 'string') values.skill = value.split(', ').map((one) => word('skill', one)).join(t('ui.or'))
    if (name === 'sex' && (value === 'f' || value === 'm')) values.sex = t(`sex.${value}`)
    if (name === 'status' && typeof value === 'string') values.status = word('status', value)
    if (name === 'age_s' && typeof value === 'number') values.age = span(Math.abs(value) * 1000)
    if (name === 'kind' && typeof value === 'string') values.kind = word('responder', value)
  }
  const text = word('reason', reason.code, reason.text, values)
  // A place in the wording that the values do not fill means that the server's own sentence says more.
  return /\{\w+\}/.test(text) ? reason.text : text
}

function pick(body: Record<string, unknown>, ...names: string[]): string {
  for (const name of names) {
    const value = body[name]
    if (typeof value === 'string' && value) return value
    if (typeof value === 'number') return String(value)
    if (value && typeof value === 'object' && typeof (value as { name?: unknown }).name === 'string') return (value as { name: string }).name
  }
  return ''
}

/** `realert_10`, `plan_30`, `lease`: the steps of a policy, with their seconds where the code has them. */
export function stepText(code: string): string {
  const [, name, seconds] = /^(realert|plan|supervisor)_(\d+)$/.exec(code) ?? []
  return name && seconds ? t(`step.${name}`, { wait: span(Number(seconds) * 1000) }) : word('step', code)
}

/** Why an assignment ended: a code of the phone, with the person's own words after a colon, or the hub's sentence. */
export function endText(reason: string | null | undefined): string {
  if (!reason) return ''
  const [, first] = /^(.+) accepted first$/.exec(reason) ?? []
  if (first) return t('stood.first', { who: first })
  const [code, ...own] = reason.split(': ')
  const known = word('decline', code, word('stood', reason.replaceAll(' ', '_'), word('reason', reason)))
  return own.length && known !== reason ? `${known}（${own.join(': ')}）` : known
}

const WHY: readonly [RegExp, string, readonly string[]][] = [
  [/^the channel (\w+) is not set up$/, 'off', ['channel']],
  [/^(.+) has no address for (\w+)$/, 'address', ['who', 'channel']],
  [/^tried (\d+) times$/, 'tried', ['n']],
  [/^the call: (\w+)$/, 'call', ['outcome']],
  [/^(.+) did not answer in time$/, 'silent', ['who']],
  [/^(.+) cannot be reached.*$/, 'away', ['who']],
  [/^(.+) answered (\d+).*$/, 'answered', ['who', 'code']],
  [/^the hub stopped before it knew$/, 'crash', []],
]

/** Why a notice did not leave; without a wording here, the hub's sentence. */
export function noticeReason(reason: string | null | undefined): string {
  if (!reason) return ''
  for (const [shape, code, names] of WHY) {
    const found = shape.exec(reason)
    if (!found) continue
    const values: Params = {}
    names.forEach((name, index) => (values[name] = found[index + 1] ?? ''))
    if (values.channel) values.channel = word('channel', String(values.channel))
    if (values.outcome) values.outcome = word('notified', String(values.outcome))
    if (values.who) values.who = word('notified.who', String(values.who).replaceAll(/\W+/g, '_'), String(values.who))
    return t(`notified.why.${code}`, values)
  }
  return endText(reason)
}

/** The people an incident's entries speak of by id. */
export function namesOf(incident: Incident | null): ReadonlyMap<string, string> {
  const names = new Map<string, string>()
  for (const one of incident?.assignments ?? []) names.set(one.responder.id, one.responder.name)
  for (const one of [incident?.acknowledged_by, incident?.resolved_by, incident?.supervised_by]) if (one) names.set(one.id, one.name)
  return names
}

const BY_RESPONDER = new Set(['accepted', 'declined', 'en_route', 'on_scene', 'completed'])

/** One line of the timeline: who, what happened, and the part of the body a person needs. */
export function entryText(entry: TimelineEntry, names: ReadonlyMap<string, string>): { who: string; what: string; detail: string } {
  const body = entry.body ?? {}
  const responder = pick(body, 'responder', 'responder_name') || (names.get(pick(body, 'responder_id')) ?? '')
  const actor = entry.actor && entry.actor.kind !== 'system' ? (entry.actor.name ?? entry.actor.id ?? '') : t('actor.system')
  const step = pick(body, 'step', 'due_step')
  const own = BY_RESPONDER.has(entry.kind)
  const what = step ? stepText(step) : hasWord('timeline', entry.kind) ? t(`timeline.${entry.kind}`, { who: responder }) : entry.kind
  const pieces: string[] = []
  const add = (text: string) => text && pieces.push(text)
  const of = (prefix: string, ...fields: string[]) => {
    const value = pick(body, ...fields)
    if (value) add(word(prefix, value))
  }
  if (['raised', 'pressed', 'realerted', 'cancel_seen'].includes(entry.kind)) of('type', 'type')
  if (entry.kind === 'priority_raised') of('level', 'priority', 'to')
  of('disposition', 'disposition')
  of('verdict', 'verdict')
  of(entry.kind === 'called' ? 'call' : 'outcome', 'outcome')
  if (entry.kind === 'told') of('told', 'status')
  if (entry.kind === 'transferred') add(pick(body, 'to_name'))
  if (entry.kind === 'notified') {
    add(`${word('channel', pick(body, 'channel'))} ${pick(body, 'name') || (names.get(pick(body, 'to').replace('responder:', '')) ?? '')}`.trim())
    of('notified', 'result')
    const next = pick(body, 'next')
    if (next) add(t('notified.next', { channel: word('channel', next) }))
  }
  const fix = body.fix as Fix | undefined
  if (fix && typeof fix === 'object' && ['positioned', 'command_answered'].includes(entry.kind)) {
    add(sourceText(fix))
    const kept = body.reason as Reason | undefined
    if (kept?.code) add(word('position.kept', kept.code, '', { m: distance(Number(kept.values?.moved_m ?? 0)) }))
  }
  if (entry.kind === 'arrival') add(t('timeline.arrives', { at: clockTime(pick(body, 'arrives_at')) }))
  const until = pick(body, 'until', 'shelved_until')
  if (until) add(t('timeline.until', { at: shortTime(until) }))
  // With a step the sentence only repeats it, in English.
  if (!step) add(entry.kind === 'notified' ? noticeReason(pick(body, 'reason')) : endText(pick(body, 'reason')))
  add(pick(body, 'text', 'summary', 'note', 'message'))
  const at = pick(body, 'happened_at', 'at')
  if (at && Math.abs(Date.parse(at) - Date.parse(entry.at)) > 30_000) add(t('timeline.happened', { at: clockTime(at) }))
  // A step an operator recorded for somebody names both.
  return { who: own && responder && responder !== actor ? t('timeline.for', { who: responder, actor }) : actor, what, detail: pieces.join(' · ') }
}

/** A service by its name in the hub's catalogue. */
export function kindName(id: string): string {
  return serviceKinds.value.find((one) => one.id === id)?.[language.value] ?? id
}

/** `["a", "b"]`, `"a"` or nothing, as one line. */
export function listed(value: string[] | string | number | boolean | null | undefined): string {
  if (value === null || value === undefined || value === '') return ''
  if (typeof value === 'boolean') return value ? t('ui.yes') : t('ui.no')
  return Array.isArray(value) ? value.join(t('ui.comma')) : String(value)
}

export function telHref(phone: string): string {
  return `tel:${phone.replace(/[^\d+*#]/g, '')}`
}
