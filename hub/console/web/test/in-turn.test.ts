import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inTurn } from '../src/core/in-turn.ts'

/** A server whose answers come when told to: each one knows what had been done when it was asked for. */
function server() {
  const waiting: (() => void)[] = []
  const state = { done: 0, shown: 0, asked: 0, atOnce: 0, most: 0 }
  const refresh = inTurn(async () => {
    state.asked += 1
    state.most = Math.max(state.most, ++state.atOnce)
    const knows = state.done
    await new Promise<void>((go) => waiting.push(go))
    state.atOnce -= 1
    state.shown = knows
  })
  return { state, refresh, answer: () => waiting.shift()?.() }
}

const settle = () => new Promise((done) => setImmediate(done))

test('who asks after a change gets an answer that knows of it, though another was under way', async () => {
  const { state, refresh, answer } = server()
  const first = refresh()
  state.done = 1
  const second = refresh()
  let told = false
  void second.then(() => (told = true))
  answer()
  await first
  await settle()
  assert.equal(state.shown, 0)
  assert.equal(told, false)
  answer()
  await second
  assert.equal(state.shown, 1)
})

test('however many ask meanwhile, one request serves them, and never two at a time', async () => {
  const { state, refresh, answer } = server()
  const all = [refresh(), refresh(), refresh(), refresh()]
  await settle()
  answer()
  await settle()
  answer()
  await Promise.all(all)
  assert.deepEqual([state.asked, state.most], [2, 1])
  const late = refresh()
  answer()
  await late
  assert.equal(state.asked, 3)
})

test('a failed answer does not keep the next one from being asked for', async () => {
  let tries = 0
  const refresh = inTurn(async () => {
    tries += 1
    await settle()
    if (tries === 1) throw new Error('no signal')
  })
  const first = refresh()
  const second = refresh()
  await assert.rejects(first)
  await second
  assert.equal(tries, 2)
})
