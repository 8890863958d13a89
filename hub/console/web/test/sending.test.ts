import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Problem } from '../src/core/http.ts'
import { formSending, oneAtATime } from '../src/core/sending.ts'

const refused = (field: string, status = 422, code = 'invalid') => new Problem(status, code, 'not so', { field })
const failing = (error: unknown) => () => Promise.reject(error)

test('a second press while one is under way sends nothing', async () => {
  const { busy, sending } = formSending(String, 'name')
  let sent = 0
  let answer: (value?: unknown) => void = () => {}
  const send = () => sending(() => new Promise((done) => ((answer = done), (sent += 1))))
  const first = send()
  await send()
  assert.equal(sent, 1)
  assert.equal(busy.value, true)
  answer()
  await first
  assert.equal(busy.value, false)
})

test('what is wrong stands beside its field, and beside the form where it shows none', async () => {
  const { errorOf, sending } = formSending(String, 'all', (field) => field.replace(/\.\d+$/, ''))
  const shown = () => Object.fromEntries(['skills', 'all'].map((field) => [field, errorOf(field) !== null]))
  assert.deepEqual(shown(), { skills: false, all: false })
  await sending(failing(refused('skills.1')))
  assert.deepEqual(shown(), { skills: true, all: false })
  await sending(failing(refused('Idempotency-Key')))
  assert.deepEqual(shown(), { skills: false, all: true })
  await sending(failing(new Error('no network')))
  assert.deepEqual(shown(), { skills: false, all: true })
  await sending(() => Promise.resolve())
  assert.deepEqual(shown(), { skills: false, all: false })
})

test('a repeat has the same key where the first may have been done, and another one where it was refused', async () => {
  const { sending, afresh } = formSending(String, 'all')
  const keys: string[] = []
  const send = (error: unknown = null) => sending((key) => (keys.push(key), error ? Promise.reject(error) : Promise.resolve()))
  await send(new Problem(0, 'network', ''))
  await send(new Problem(503, 'unavailable', ''))
  await send(new Problem(409, 'in-progress', ''))
  await send(refused('kind'))
  await send()
  afresh()
  await send()
  assert.equal(new Set(keys.slice(0, 4)).size, 1)
  assert.equal(new Set(keys).size, 3)
})

test('what the page itself refuses stands where the hub\'s words would, until the next sending', async () => {
  const { errorOf, refuse, sending } = formSending(String, 'reason')
  const shown = () => [errorOf('reason'), errorOf('until')]
  refuse('say why')
  assert.deepEqual(shown(), ['say why', null])
  refuse('in the past', 'until')
  assert.deepEqual(shown(), [null, 'in the past'])
  await sending(() => Promise.resolve())
  assert.deepEqual(shown(), [null, null])
})

test('a form that stays open after it was sent sends another write the next time', async () => {
  const { sending } = formSending(String, 'all')
  const keys: string[] = []
  const send = () => sending(async (key) => void keys.push(key))
  await send()
  await send()
  assert.equal(new Set(keys).size, 2)
})

test('buttons beside a list: one at a time, a failure is told and the next press is free', async () => {
  const said: string[] = []
  const { busy, doing } = oneAtATime((error) => said.push(String(error)))
  let done = 0
  let answer: (value?: unknown) => void = () => {}
  const first = doing(() => new Promise((end) => ((answer = end), (done += 1))))
  await doing(async () => (done += 1))
  assert.deepEqual([done, busy.value], [1, true])
  answer()
  await first
  await doing(failing('gone'))
  assert.deepEqual([said, busy.value], [['gone'], false])
  await doing(async () => (done += 1))
  assert.equal(done, 2)
})
