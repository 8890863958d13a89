import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lapsed, skillsOf } from '../src/console/staff/types.ts'

test('a paper is good through its last day', () => {
  assert.equal(lapsed({ skill: 'nursing', expires_on: '2026-11-23' }, '2026-11-23'), false)
  assert.equal(lapsed({ skill: 'nursing', expires_on: '2026-11-22' }, '2026-11-23'), true)
  assert.equal(lapsed({ skill: 'care', expires_on: null }, '2026-11-23'), false)
})

test('skills are what is ticked, with their days, and nothing the catalogue does not know is lost', () => {
  const until = { nursing: '2027-01-31', care: '', bathing: '2027-02-01' }
  assert.deepEqual(skillsOf(['own_skill', 'nursing', 'care'], until, ['care', 'nursing', 'bathing']), [
    { skill: 'care', expires_on: null },
    { skill: 'nursing', expires_on: '2027-01-31' },
    { skill: 'own_skill', expires_on: null },
  ])
})
