import assert from 'node:assert/strict'
import { test } from 'node:test'
import { may, monthAfter, monthsBack, type Claim, type Dispute } from '../src/home/month.ts'

const claim = (status: Claim['status'], paid_fen = 3000): Claim => ({ id: 'c', order_id: 'o', status, paid_fen, reasons: [], shares: [], dispute: null })
const own: Dispute = { side: 'family', decision: null, decision_reason: null, raised_at: '2026-11-22T06:00:00Z' }

test('what was paid is disputed once, what is not settled is complained of, what nobody paid is left alone', () => {
  for (const status of ['claimed', 'accepted', 'closed', 'disputed'] as const) {
    assert.equal(may(claim(status), undefined), 'dispute')
    assert.equal(may(claim(status), own), null)
  }
  assert.equal(may(claim('held'), undefined), 'complain')
  assert.equal(may(undefined, undefined), 'complain')
  assert.equal(may(claim('refused', 0), undefined), null)
  assert.equal(may(claim('closed', 0), undefined), null)
})

test('months over the turn of a year', () => {
  assert.equal(monthAfter('2026-12'), '2027-01')
  assert.equal(monthAfter('2026-09'), '2026-10')
  assert.deepEqual(monthsBack('2027-01', 3), ['2027-01', '2026-12', '2026-11'])
})
