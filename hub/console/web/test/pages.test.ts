import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { PAGES, headerPages, isPage, parentOf, pieceOf, tabsOf, type PageName } from '../src/console/pages.ts'

const words: Record<string, { zh: string; en: string }> = JSON.parse(readFileSync(join(process.cwd(), 'src/locales/nav.json'), 'utf8'))

test('every page and every tab has its name, and nothing else has one', () => {
  const wanted = Object.entries(PAGES).flatMap(([name, page]) => [name, ...Object.keys(page.parts ?? {}).map((part) => `${name}.${part}`)])
  assert.deepEqual(Object.keys(words).sort(), wanted.sort())
})

test('a page stands under one that is there and has a place in the header', () => {
  for (const [name, page] of Object.entries(PAGES)) {
    if (page.under === undefined) continue
    assert.ok(isPage(page.under), `${name}: no page "${page.under}"`)
    assert.equal(PAGES[page.under].under, undefined)
    assert.equal(parentOf(name as PageName), page.under)
  }
})

test('the way is shown to whoever may go it, and to whoever stands there', () => {
  assert.ok(!headerPages('coordinator', 'alarms').includes('supervision'))
  assert.ok(headerPages('coordinator', 'alarms').includes('services'))
  assert.ok(!headerPages('supervisor', 'alarms').includes('services'))
  assert.ok(headerPages('coordinator', 'supervision').includes('supervision'))
  assert.ok(!headerPages('admin', 'alarms').includes('wall'))
  const titles = (role: string) => tabsOf('settings', null, role).map((one) => one.title)
  assert.ok(titles('admin').includes('nav.settings.users'))
  assert.ok(!titles('operator').includes('nav.settings.users'))
  assert.ok(!titles('operator').includes('nav.settings.audit'))
})

test('the tabs say where somebody is', () => {
  const current = (page: PageName, part: string | null) => tabsOf(page, part, 'admin').filter((one) => one.current).map((one) => one.href)
  assert.deepEqual(current('devices', null), ['#/devices'])
  assert.deepEqual(current('devices', 'W-0001'), ['#/devices'])
  assert.deepEqual(current('devices', 'work'), ['#/devices/work'])
  assert.deepEqual(current('onboarding', 'W-0001'), ['#/onboarding'])
  assert.equal(isPage('__proto__'), false)
  assert.equal(isPage('nothing'), false)
})

test('an account of a provider is led to its own work, to read plans and meals, and to nothing of the district', () => {
  const pages = headerPages('coordinator', 'settlement', true)
  for (const page of ['orders', 'meals', 'residents', 'settlement'] as const) assert.ok(pages.includes(page), page)
  for (const page of ['alarms', 'devices', 'settings', 'staff', 'providers', 'rota'] as const) assert.ok(!pages.includes(page), page)
  const titles = (page: PageName, provider: boolean) => tabsOf(page, null, 'coordinator', provider).map((one) => one.title)
  assert.deepEqual(titles('meals', true), ['nav.meals.day', 'nav.meals.menus'])
  assert.ok(titles('orders', true).includes('nav.orders.map'))
  assert.ok(!titles('orders', true).includes('nav.orders.plan'))
  assert.ok(titles('orders', false).includes('nav.orders.plan'))
})

test('the first part is the page itself, by whichever address', () => {
  assert.equal(pieceOf('orders', 'board'), null)
  assert.equal(pieceOf('supervision', 'review'), null)
  assert.equal(pieceOf('orders', 'day'), 'day')
  assert.equal(pieceOf('residents', 'R-0001'), 'R-0001')
  assert.equal(pieceOf('wall', undefined), null)
})
