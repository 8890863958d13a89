import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KEPT, Relay, placeOf, reachOf, type ToPage } from '../src/core/relay.ts'
import type { LiveEvent } from '../src/core/types.ts'

const event = (seq: number, epoch = 'e'): LiveEvent => ({ event: 'incident.updated', id: `${epoch}-${seq}`, data: { entry: { seq } } })

function world() {
  const calls: string[] = []
  const relay = new Relay({ start: (cursor) => calls.push(`start ${cursor}`), stop: () => calls.push('stop'), wake: () => calls.push('wake') })
  const page = () => {
    const got: ToPage[] = []
    const port = { send: (message: ToPage) => got.push(message) }
    relay.join(port)
    return {
      got,
      say: (message: Parameters<typeof relay.take>[1]) => relay.take(port, message),
      seqs: () => got.flatMap((m) => (m.kind === 'events' ? m.events.map((e) => placeOf(e.id)?.seq) : [])),
      resets: () => got.filter((m) => m.kind === 'reset').length,
    }
  }
  return { relay, calls, page }
}

test('the first page opens the stream, the second joins it where its snapshot ends', () => {
  const { relay, calls, page } = world()
  const [a, b] = [page(), page()]
  a.say({ kind: 'start', cursor: 'e-10' })
  relay.setState('live')
  relay.events([event(11), event(12)])
  b.say({ kind: 'start', cursor: 'e-11' })
  relay.events([event(13)])
  assert.deepEqual(calls, ['start e-10'])
  assert.deepEqual(a.seqs(), [11, 12, 13])
  assert.deepEqual(b.seqs(), [12, 13], 'what its snapshot holds is not told again')
  assert.deepEqual(b.got.filter((m) => m.kind === 'state'), [{ kind: 'state', state: 'live' }])
})

test('an event whose id stays behind its own entries is not lost for a page that joins between', () => {
  const { relay, page } = world()
  const [a, b] = [page(), page()]
  a.say({ kind: 'start', cursor: 'e-1' })
  const late: LiveEvent = { event: 'incident.updated', id: 'e-2', data: { entries: [{ seq: 2 }, { seq: 5 }] } }
  assert.equal(reachOf(late), 5)
  relay.events([late])
  b.say({ kind: 'start', cursor: 'e-3' })
  assert.deepEqual(b.seqs(), [2])
})

test('a page older than what is kept, and every page after a lost place, fetches a snapshot again', () => {
  const { relay, calls, page } = world()
  const [a, b] = [page(), page()]
  a.say({ kind: 'start', cursor: 'e-10' })
  b.say({ kind: 'start', cursor: 'e-9' })
  assert.equal(b.resets(), 1)
  b.say({ kind: 'start', cursor: 'e-10' })
  relay.reset()
  assert.deepEqual([a.resets(), b.resets()], [1, 2])
  b.say({ kind: 'start', cursor: 'f-3' })
  assert.deepEqual(calls, ['start e-10', 'start f-3'])
  relay.events([event(4, 'f')])
  assert.deepEqual(a.seqs(), [], 'until it has its snapshot')
  a.say({ kind: 'start', cursor: 'f-3' })
  assert.deepEqual(a.seqs(), [4])
})

test('another epoch starts the stream anew for everybody', () => {
  const { calls, page } = world()
  const [a, b] = [page(), page()]
  a.say({ kind: 'start', cursor: 'e-10' })
  b.say({ kind: 'start', cursor: 'f-1' })
  assert.deepEqual(calls, ['start e-10', 'start f-1'])
  assert.equal(a.resets(), 1)
})

test('only so much is kept', () => {
  const { relay, page } = world()
  const [a, b, c] = [page(), page(), page()]
  a.say({ kind: 'start', cursor: 'e-0' })
  relay.events(Array.from({ length: KEPT + 10 }, (_, i) => event(i + 1)))
  b.say({ kind: 'start', cursor: 'e-5' })
  assert.equal(b.resets(), 1)
  c.say({ kind: 'start', cursor: `e-${KEPT}` })
  assert.equal(c.seqs().length, 10)
})

test('the last page that leaves ends the stream, and the next one begins it', () => {
  const { relay, calls, page } = world()
  const [a, b] = [page(), page()]
  a.say({ kind: 'start', cursor: 'e-1' })
  b.say({ kind: 'start', cursor: 'e-1' })
  a.say({ kind: 'bye' })
  assert.deepEqual(calls, ['start e-1'])
  b.say({ kind: 'stop' })
  assert.deepEqual(calls, ['start e-1', 'stop'])
  b.say({ kind: 'wake' })
  b.say({ kind: 'start', cursor: 'e-7' })
  assert.deepEqual(calls.slice(2), ['wake', 'start e-7'])
  relay.events([event(8)])
  assert.deepEqual(a.seqs(), [])
})

test('signed out, every page is told, and the first one back starts the stream', () => {
  const { relay, calls, page } = world()
  const [a, b] = [page(), page()]
  a.say({ kind: 'start', cursor: 'e-1' })
  b.say({ kind: 'start', cursor: 'e-1' })
  relay.setState('signed_out')
  assert.deepEqual(b.got.at(-1), { kind: 'state', state: 'signed_out' })
  a.say({ kind: 'start', cursor: 'e-4' })
  assert.deepEqual(calls, ['start e-1', 'start e-4'])
})
