import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Problem } from '../src/core/http.ts'
import { Outbox, byImportance, isFinal, project, taken, type Queued, type Step } from '../src/phone/outbox.ts'
import { memoryStore } from '../src/phone/storage.ts'
import { assignment, at, incident, task } from './make.ts'

function box(send: (item: Queued) => Promise<void>, store = memoryStore()) {
  const retries: (() => void)[] = []
  const outbox = new Outbox(store, {
    send,
    after: (_ms, run) => (retries.push(run), () => {}),
    changed: () => {},
    explain: (error) => (error as Problem).detail,
  })
  return { outbox, retries, store }
}

const step = (name: Step, seconds: number, assignment = 'g1') => ({
  key: `${assignment}-${name}`,
  assignment,
  step: name,
  path: `/assignments/${assignment}/${name}`,
  body: { at: at(seconds) },
  name: 'Wang',
})
const settle = async () => {
  for (let i = 0; i < 200; i++) await Promise.resolve()
}

test('without a signal steps are kept; with one they leave in order, with their keys and their times', async () => {
  let online = false
  const sent: string[] = []
  const { outbox, retries } = box(async (item) => {
    if (!online) throw new Problem(0, 'network', '')
    sent.push(`${item.key} ${String(item.body.at)}`)
  })
  await outbox.open('u1')
  await outbox.add(step('accept', 1))
  await outbox.add(step('en-route', 60))
  await outbox.add(step('on-scene', 300))
  await settle()
  assert.equal(outbox.waiting.length, 3)
  assert.deepEqual(sent, [])
  online = true
  retries.at(-1)!()
  await settle()
  assert.deepEqual(sent, [`g1-accept ${at(1)}`, `g1-en-route ${at(60)}`, `g1-on-scene ${at(300)}`])
  assert.equal(outbox.items.length, 0)
})

test('a page that was closed meanwhile finds its steps again, and sends the same key', async () => {
  const store = memoryStore()
  const first = box(async () => {
    throw new Problem(0, 'network', '')
  }, store)
  await first.outbox.open('u1')
  await first.outbox.add(step('accept', 1))
  await settle()
  const sent: string[] = []
  const second = box(async (item) => void sent.push(item.key), store)
  await second.outbox.open('u1')
  await settle()
  assert.deepEqual(sent, ['g1-accept'])
  assert.deepEqual(await store.all(), [])
})

test('a refused step is kept with the reason until it was read; those behind it still go', async () => {
  const sent: string[] = []
  const { outbox, store } = box(async (item) => {
    if (item.assignment === 'gone') throw new Problem(409, 'conflict', 'stood down')
    sent.push(item.key)
  })
  await outbox.open('u1')
  await outbox.add(step('accept', 1, 'gone'))
  await outbox.add(step('accept', 2, 'g2'))
  await settle()
  assert.deepEqual(sent, ['g2-accept'])
  assert.deepEqual(outbox.items.map((i) => i.refused), ['stood down'])
  assert.equal((await store.all()).length, 1)
  await outbox.dismiss(outbox.items[0]!.seq)
  assert.equal((await store.all()).length, 0)
})

test('one person does not send another person\'s steps', async () => {
  const store = memoryStore()
  const offline = box(async () => {
    throw new Problem(0, 'network', '')
  }, store)
  await offline.outbox.open('u1')
  await offline.outbox.add(step('accept', 1))
  await settle()
  const sent: string[] = []
  const other = box(async (item) => void sent.push(item.key), store)
  await other.outbox.open('u2')
  await settle()
  assert.deepEqual(sent, [])
  assert.equal((await store.all()).length, 1)
})

test('what may pass is tried again, what cannot is not', () => {
  for (const status of [0, 401, 408, 425, 429, 500, 502, 503, 504]) assert.equal(isFinal(new Problem(status, 'x', '')), false, String(status))
  for (const status of [400, 403, 404, 409, 412, 422]) assert.equal(isFinal(new Problem(status, 'x', '')), true, String(status))
  assert.equal(isFinal(new Problem(409, 'in-progress', '')), false)
  assert.equal(isFinal(new TypeError('x')), false)
})

test('the card shows the last step pressed, and that it is not sent', () => {
  const queued: Queued[] = [
    { ...step('accept', 1), seq: 1, user: 'u1', refused: null },
    { ...step('en-route', 2), seq: 2, user: 'u1', refused: null },
  ]
  const [shown, other] = project([task('g1'), task('g2')], queued)
  assert.deepEqual([shown!.state, shown!.next, shown!.pending], ['en_route', 'on-scene', 2])
  assert.deepEqual([other!.state, other!.next, other!.pending], ['offered', 'accept', 0])
  const refused = queued.map((item) => ({ ...item, refused: 'stood down' }))
  assert.equal(project([task('g1')], refused)[0]!.state, 'offered')
})

test('the answer to a step moves the card at once, and never back', () => {
  const tasks = [task('g1'), task('g2')]
  const after = taken(tasks, assignment('g1', { version: 2, state: 'en_route' }))
  assert.deepEqual(after.map((one) => one.next), ['on-scene', 'accept'])
  assert.equal(taken(after, assignment('g1', { version: 1 }))[0]!.next, 'on-scene')
  assert.equal(taken(after, assignment('g1', { version: 3, state: 'completed' }))[0]!.next, null)
})

test('critical first, emergencies before services', () => {
  const cards = project(
    [
      task('service'),
      task('high', { incident: incident('h', { priority: 'high' }) }),
      task('critical', { incident: incident('c') }),
    ],
    [],
  ).sort(byImportance)
  assert.deepEqual(cards.map((c) => c.task.assignment.id), ['critical', 'high', 'service'])
})

test('a photo goes behind every step, and neither it nor "all is well" moves the card', async () => {
  let online = false
  const sent: string[] = []
  const { outbox, retries } = box(async (item) => {
    if (!online) throw new Problem(0, 'network', '')
    sent.push(item.step)
  })
  await outbox.open('u1')
  for (const [name, seconds] of [['on-scene', 1], ['photos', 2], ['all-well', 3]] as [Step, number][]) await outbox.add(step(name, seconds))
  await settle()
  const [card] = project([task('g1', { assignment: assignment('g1', { state: 'en_route' }), next: 'on-scene' })], outbox.items)
  assert.deepEqual([card!.state, card!.next, card!.pending], ['on_scene', 'complete', 3])
  online = true
  retries.at(-1)!()
  await settle()
  assert.deepEqual(sent, ['on-scene', 'all-well', 'photos'])
})
