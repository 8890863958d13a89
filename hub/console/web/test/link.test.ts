import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FIRST_EVENT_MS, Link, RETRY_STREAM_MS, SILENCE_MS, type LinkDeps, type SourceListener } from '../src/core/link.ts'

/** A world whose clock moves only when the test says so. */
function world() {
  let now = 0
  const timers: { at: number; run: () => void; off: boolean }[] = []
  const sources: { cursor: string | null; listener: SourceListener; closed: boolean }[] = []
  const polls: { cursor: string | null; answer: (value: { cursor?: string; reset?: boolean; events?: never[] }) => void; fail: () => void }[] = []
  const w = {
    session: 'ok' as 'ok' | 'signed_out' | 'unreachable',
    sources,
    polls,
    states: [] as string[],
    events: [] as string[],
    resets: 0,
    get open() {
      return sources.filter((s) => !s.closed)
    },
    async settle() {
      for (let i = 0; i < 20; i++) await Promise.resolve()
    },
    async pass(ms: number) {
      const end = now + ms
      for (;;) {
        const next = timers.filter((t) => !t.off && t.at <= end).sort((a, b) => a.at - b.at)[0]
        if (!next) break
        now = next.at
        next.off = true
        next.run()
        await w.settle()
      }
      now = end
    },
  }
  const deps: LinkDeps = {
    now: () => now,
    random: () => 1,
    after(ms, run) {
      const timer = { at: now + ms, run, off: false }
      timers.push(timer)
      return () => (timer.off = true)
    },
    open(cursor, listener) {
      const source = { cursor, listener, closed: false }
      sources.push(source)
      return { close: () => (source.closed = true) }
    },
    probe: async () => w.session,
    poll: (cursor, signal) =>
      new Promise((done, fail) => {
        polls.push({ cursor, answer: done, fail: () => fail(new Error('gone')) })
        signal.addEventListener('abort', () => fail(new Error('aborted')))
      }),
  }
  const link = new Link(deps, {
    state: (s) => w.states.push(s),
    events: (list) => w.events.push(...list.map((e) => e.event)),
    reset: () => w.resets++,
  })
  return { w, link }
}

test('opens at the cursor, takes events, remembers the last id', async () => {
  const { w, link } = world()
  link.start('e1-5')
  assert.equal(w.sources[0]!.cursor, 'e1-5')
  w.sources[0]!.listener.event('hb', '{}', '')
  w.sources[0]!.listener.event('incident.raised', '{"incident":null}', 'e1-6')
  assert.deepEqual(w.states, ['live'])
  assert.equal(link.cursor, 'e1-6')
  assert.deepEqual(w.events, ['hb', 'incident.raised'])
})

test('silence makes it stale after 12 s, and it comes back from the last id', async () => {
  const { w, link } = world()
  link.start('e1-5')
  w.sources[0]!.listener.event('incident.raised', '{}', 'e1-7')
  await w.pass(SILENCE_MS - 1)
  assert.deepEqual(w.states, ['live'])
  await w.pass(2)
  assert.deepEqual(w.states, ['live', 'stale'])
  assert.equal(w.sources[0]!.closed, true)
  await w.pass(600)
  assert.equal(w.sources[1]!.cursor, 'e1-7')
  w.sources[1]!.listener.event('hb', '{}', '')
  assert.deepEqual(w.states, ['live', 'stale', 'live'])
})

test('a lapsed session stops it at once and asks nobody again', async () => {
  const { w, link } = world()
  link.start(null)
  w.session = 'signed_out'
  w.sources[0]!.listener.error()
  await w.settle()
  await w.pass(60_000)
  assert.deepEqual(w.states, ['signed_out'])
  assert.equal(w.sources.length, 1)
})

test('an unreachable hub: waits longer and longer, up to 8 s; waking skips the wait', async () => {
  const { w, link } = world()
  link.start(null)
  w.session = 'unreachable'
  const gaps: number[] = []
  for (let i = 0; i < 7; i++) {
    const count = w.sources.length
    w.open[0]!.listener.error()
    await w.settle()
    let waited = 0
    while (w.sources.length === count) {
      await w.pass(100)
      waited += 100
    }
    gaps.push(waited)
  }
  assert.deepEqual(gaps, [500, 1000, 2000, 4000, 8000, 8000, 8000])
  assert.deepEqual(w.states, ['down'])
  w.open[0]!.listener.error()
  await w.settle()
  const count = w.sources.length
  link.wake()
  assert.equal(w.sources.length, count + 1)
})

test('reset closes the stream and hands over; an old source is no longer heard', async () => {
  const { w, link } = world()
  link.start('e1-5')
  w.sources[0]!.listener.event('reset', '{"reason":"too old"}', '')
  assert.equal(w.resets, 1)
  assert.equal(w.open.length, 0)
  link.start('e2-1')
  w.sources[0]!.listener.event('incident.raised', '{}', 'e1-9')
  assert.equal(link.cursor, 'e2-1')
  assert.deepEqual(w.events, [])
})

test('no first event in 10 s: long polling takes over, and the stream is tried again later', async () => {
  const { w, link } = world()
  link.start('e1-5')
  await w.pass(FIRST_EVENT_MS + 1)
  assert.equal(w.open.length, 0)
  assert.equal(w.polls[0]!.cursor, 'e1-5')
  w.polls[0]!.answer({ cursor: 'e1-8', events: [] })
  await w.settle()
  assert.deepEqual(w.states, ['live'])
  assert.equal(w.polls[1]!.cursor, 'e1-8')
  await w.pass(RETRY_STREAM_MS)
  w.polls[1]!.answer({ cursor: 'e1-9' })
  await w.settle()
  assert.equal(w.open.length, 1)
  assert.equal(w.open[0]!.cursor, 'e1-9')
})

test('a poll that fails probes and polls again; a poll that resets hands over its place', async () => {
  const { w, link } = world()
  link.start(null)
  await w.pass(FIRST_EVENT_MS + 1)
  w.session = 'unreachable'
  w.polls[0]!.fail()
  await w.settle()
  assert.deepEqual(w.states, ['down'])
  await w.pass(600)
  w.polls[1]!.answer({ reset: true, cursor: 'e2-3' })
  await w.settle()
  assert.equal(w.resets, 1)
  assert.equal(link.cursor, 'e2-3')
})

test('stopping ends everything: no timer, no source, no word', async () => {
  const { w, link } = world()
  link.start(null)
  w.sources[0]!.listener.event('hb', '{}', '')
  link.stop()
  await w.pass(120_000)
  w.sources[0]!.listener.error()
  await w.settle()
  assert.deepEqual(w.states, ['live'])
  assert.equal(w.sources.length, 1)
})

test('a broken event does not end the stream', () => {
  const { w, link } = world()
  link.start(null)
  w.sources[0]!.listener.event('incident.raised', '{"incident":', 'e1-1')
  w.sources[0]!.listener.event('incident.raised', '{}', 'e1-2')
  assert.deepEqual(w.events, ['incident.raised'])
  assert.equal(link.cursor, 'e1-2')
})
