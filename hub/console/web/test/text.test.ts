import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { clockTime, restoreClock, serverNow, setZone, shortTime, span, syncClock } from '../src/core/clock.ts'
import { distance, metresBetween } from '../src/core/geo.ts'
import { query } from '../src/core/http.ts'
import { addMessages, chooseLanguage, fill, setLanguage, t, word } from '../src/core/i18n.ts'
import { fromLocalInput, toLocalInput } from '../src/core/local-input.ts'
import sharedEn from '../src/locales/shared.en.json'
import sharedZh from '../src/locales/shared.zh.json'
import { T0 } from './make.ts'

type Messages = Record<string, string>
const folder = join(process.cwd(), 'src/locales')
const read = (name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8'))
/** Every file of words there is: a page brings its own and needs no line here. */
const pairs: Record<string, [Messages, Messages]> = Object.fromEntries(
  readdirSync(folder)
    .filter((name) => name.endsWith('.zh.json'))
    .map((name) => [name.replace('.zh.json', ''), [read(name), read(name.replace('.zh.', '.en.'))]]),
)
const nav: Record<string, { zh: string; en: string }> = read('nav.json')
pairs.nav = [Object.fromEntries(Object.entries(nav).map(([key, one]) => [`nav.${key}`, one.zh])), Object.fromEntries(Object.entries(nav).map(([key, one]) => [`nav.${key}`, one.en]))]

test('both languages have the same keys, the same places, and no empty text', () => {
  const places = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort()
  for (const [name, [zh, en]] of Object.entries(pairs)) {
    assert.deepEqual(Object.keys(zh).sort(), Object.keys(en).sort(), name)
    for (const key of Object.keys(zh)) {
      const pair = [(zh as Record<string, string>)[key]!, (en as Record<string, string>)[key]!]
      assert.ok(pair.every((text) => text.trim()), `${name}: ${key}`)
      assert.deepEqual(places(pair[0]!), places(pair[1]!), `${name}: ${key}`)
    }
  }
})

test('a key belongs to one file only', () => {
  const all = Object.values(pairs).flatMap(([zh]) => Object.keys(zh))
  assert.equal(new Set(all).size, all.length)
})

test('t fills places, keeps unknown ones visible, and falls back to the key', () => {
  addMessages(sharedZh, sharedEn)
  setLanguage('en')
  assert.equal(t('age', { n: 82 }), '82 y')
  setLanguage('zh')
  assert.equal(t('age', { n: 82 }), '82 岁')
  assert.equal(fill('{a} {b}', { a: 1 }), '1 {b}')
  assert.equal(t('no.such.key'), 'no.such.key')
  assert.equal(word('type', 'sos'), sharedZh['type.sos'])
  assert.equal(word('type', 'brand_new'), 'brand_new')
  assert.equal(word('type', null, 'x'), 'x')
})

test('the address decides the language, then the person, then this browser', () => {
  assert.equal(chooseLanguage('?lang=en', 'zh', 'zh'), 'en')
  assert.equal(chooseLanguage('', 'en', 'zh'), 'en')
  assert.equal(chooseLanguage('', null, 'en'), 'en')
  assert.equal(chooseLanguage('?lang=fr', null, null), 'zh')
})

test('times are the server\'s, in the hub\'s zone, whatever the PC says', () => {
  restoreClock(3_600_000)
  assert.ok(Math.abs(serverNow() - Date.now() - 3_600_000) < 50)
  syncClock(new Date(Date.now() - 500_000).toISOString(), Date.now() - 20, Date.now())
  assert.ok(Math.abs(serverNow() - Date.now() + 500_000) < 50)
  // A pushed time that is a little late moves nothing; a jump does.
  const before = serverNow()
  syncClock(new Date(before - 900).toISOString())
  assert.ok(Math.abs(serverNow() - before) < 50)
  syncClock(new Date(before - 9000).toISOString())
  assert.ok(Math.abs(serverNow() - before + 9000) < 50)
  setZone('Asia/Shanghai')
  assert.equal(clockTime('2026-11-22T06:02:11Z', T0), '14:02:11')
  assert.equal(shortTime('2026-11-22T06:02:11Z', T0), '14:02')
  assert.equal(shortTime('2026-11-21T06:02:11Z', T0), '11-21 14:02')
  assert.equal(clockTime(null), '')
  setZone('No/Such')
  assert.equal(shortTime('2026-11-22T06:02:11Z', T0), '14:02')
})

test('fields of a form hold the hub\'s wall time', () => {
  const moment = Date.parse('2026-11-22T06:30:00Z')
  assert.equal(toLocalInput(moment), '2026-11-22T14:30')
  assert.equal(fromLocalInput('2026-11-22T14:30'), '2026-11-22T06:30:00.000Z')
  assert.equal(fromLocalInput(''), null)
  setZone('Europe/Berlin')
  // Across the end of summer time the same wall time comes back.
  for (const wall of ['2026-10-24T12:00', '2026-10-25T12:00', '2026-03-29T12:00']) assert.equal(toLocalInput(Date.parse(fromLocalInput(wall)!)), wall)
  setZone('Asia/Shanghai')
})

test('spans and distances for narrow columns', () => {
  assert.deepEqual([0, 7, 760, 11_112, 187_200].map((s) => span(s * 1000)), ['0:00', '0:07', '12:40', '3:05:12', '2d 4h'])
  assert.equal(span(-5), '0:00')
  assert.deepEqual([4, 348, 999, 1240, 23_400].map(distance), ['0 m', '350 m', '1000 m', '1.2 km', '23 km'])
  assert.equal(distance(null), '')
  assert.ok(Math.abs(metresBetween([31.33, 118.37], [31.34, 118.37]) - 1112) < 2)
})

test('queries repeat arrays and leave out the empty', () => {
  assert.equal(query({ state: ['open', 'closed'], q: '', limit: 5, cursor: undefined }), '?state=open&state=closed&limit=5')
  assert.equal(query({}), '')
})

test('the dark tokens are the same for the system\'s choice and for the reader\'s', () => {
  const css = readFileSync(join(process.cwd(), 'src/styles/tokens.css'), 'utf8')
  const block = (start: string) => {
    const from = css.indexOf('{', css.indexOf(start)) + 1
    return [...css.slice(from, css.indexOf('}', from)).matchAll(/(--[\w-]+):\s*([^;]+);/g)].map((m) => `${m[1]}: ${m[2]}`)
  }
  const system = block(':root:not([data-theme="light"])')
  assert.ok(system.length > 40)
  assert.deepEqual(system, block(':root[data-theme="dark"]'))
  const light = new Set([...css.slice(css.indexOf('/* light */'), css.indexOf('@media')).matchAll(/(--[\w-]+):/g)].map((m) => m[1]))
  for (const line of system) assert.ok(light.has(line.split(':')[0]!), `${line} has no light twin`)
})

/** WCAG relative luminance. */
function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255).map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!
}

test('text stands out from what it lies on: 4.5 to 1 or more, in both themes', () => {
  const css = readFileSync(join(process.cwd(), 'src/styles/tokens.css'), 'utf8')
  const light = css.slice(css.indexOf('/* light */'), css.indexOf('@media'))
  const dark = css.slice(css.indexOf(':root[data-theme="dark"]'))
  const onto: [string, string[]][] = [
    ['text', ['bg', 'surface', 'surface-2', 'surface-3', 'selected', 'hover', 'accent-soft']],
    ['text-2', ['bg', 'surface', 'surface-2', 'surface-3', 'selected', 'hover']],
    ['muted', ['bg', 'surface', 'surface-2', 'hover', 'selected']],
    ['accent', ['surface', 'bg']],
    ['on-accent', ['accent', 'accent-hover']],
    ['warn', ['surface', 'warn-soft']],
    ['bad', ['surface', 'bad-soft']],
    ['good', ['surface', 'surface-3']],
    ['on-p1', ['p1']],
    ['on-p2', ['p2']],
    ['on-p3', ['p3']],
    ['on-p4', ['p4']],
    ['p1-text', ['surface', 'selected']],
    ['p2-text', ['surface', 'selected']],
    ['p3-text', ['surface', 'selected']],
    ['p4-text', ['surface', 'selected']],
  ]
  for (const [name, block] of [['light', light], ['dark', dark]] as const) {
    const colour = (token: string) => new RegExp(`--${token}:\\s*(#[0-9a-f]{6})`).exec(block)![1]!
    for (const [ink, papers] of onto) {
      for (const paper of papers) {
        const [a, b] = [luminance(colour(ink)), luminance(colour(paper))].sort((x, y) => y - x)
        const ratio = (a! + 0.05) / (b! + 0.05)
        assert.ok(ratio >= 4.5, `${name}: ${ink} on ${paper} is ${ratio.toFixed(2)}`)
      }
    }
  }
})
