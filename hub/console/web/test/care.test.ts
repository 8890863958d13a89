import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromRule, ruleText, toRule } from '../src/console/care/rule.ts'

test('a chosen rule is written and read again', () => {
  for (const rule of ['FREQ=DAILY', 'FREQ=DAILY;INTERVAL=2', 'FREQ=WEEKLY;BYDAY=MO,TH', 'FREQ=WEEKLY;INTERVAL=2;BYDAY=SU', 'FREQ=MONTHLY;BYMONTHDAY=1,15']) {
    const found = fromRule(rule)
    assert.ok(found)
    assert.equal(toRule(found), rule)
  }
})

test('weekdays stand in the order of the week, whatever was pressed first', () => {
  assert.equal(toRule({ freq: 'WEEKLY', interval: 1, days: ['FR', 'MO'], monthDays: [] }), 'FREQ=WEEKLY;BYDAY=MO,FR')
})

test('what the choices cannot show is left as it is written', () => {
  for (const rule of ['FREQ=MONTHLY;BYDAY=1MO', 'FREQ=WEEKLY;BYDAY=MO;COUNT=4', 'FREQ=YEARLY', 'FREQ=MONTHLY;BYMONTHDAY=-1', 'nonsense']) {
    assert.equal(fromRule(rule), null)
    assert.equal(ruleText(rule, (key) => key), rule)
  }
})

test('a rule in words', () => {
  const say = (key: string, values?: Record<string, string | number>) => `${key}${values ? JSON.stringify(values) : ''}`
  assert.equal(ruleText('FREQ=DAILY', say), 'care.each.DAILY')
  assert.match(ruleText('FREQ=WEEKLY;INTERVAL=2;BYDAY=MO', say), /care\.every\.WEEKLY/)
})
