import assert from 'node:assert/strict'
import { test } from 'node:test'
import { personSearch, type Key } from '../src/console/person-search.ts'

interface Person {
  name: string
}
const people = (...names: string[]) => ({ items: names.map((name) => ({ name })), next: null as string | null })
/** Long enough for a timer of 0 ms that was set before, and for whatever awaits it. */
const settled = () => new Promise((done) => setTimeout(done, 5))

/** A search whose answers the test gives, in the order that it likes. */
function searching() {
  const asked: { wanted: string; answer: (page: ReturnType<typeof people>) => void; fail: (error: unknown) => void }[] = []
  const chosen: string[] = []
  let typed = 0
  const search = personSearch<Person>((wanted) => new Promise((answer, fail) => asked.push({ wanted, answer, fail })), String, { choose: (one) => chosen.push(one.name), typing: () => (typed += 1) }, 0)
  const names = () => search.found.value.map((one) => one.name)
  return { ...search, asked, chosenNames: chosen, typedTimes: () => typed, names }
}

function press(onKey: (key: Key) => void, key: string, isComposing = false) {
  const done: string[] = []
  onKey({ key, isComposing, preventDefault: () => done.push('prevented'), stopPropagation: () => done.push('stopped') })
  return done
}

test('a late answer never comes after a newer one, and not after newer letters either', async () => {
  const { type, asked, names, state } = searching()
  type('wang')
  await settled()
  type('wang gui')
  await settled()
  assert.deepEqual(asked.map((one) => one.wanted), ['wang', 'wang gui'])
  asked[1]!.answer(people('Wang Guilan'))
  await settled()
  asked[0]!.answer(people('Wang Wu', 'Wang Guilan'))
  await settled()
  assert.deepEqual(names(), ['Wang Guilan'])
  type('li')
  await settled()
  type('')
  asked[2]!.answer(people('Li Na'))
  await settled()
  assert.deepEqual(names(), [])
  assert.equal(state.value, 'idle')
})

test('a late failure is not said of what was found since', async () => {
  const { type, asked, problem, names } = searching()
  type('wa')
  await settled()
  type('wang')
  await settled()
  asked[1]!.answer(people('Wang Wu'))
  asked[0]!.fail(new Error('gone'))
  await settled()
  assert.equal(problem.value, null)
  assert.deepEqual(names(), ['Wang Wu'])
})

test('letters in quick succession are one request', async () => {
  const { type, asked } = searching()
  for (const text of ['w', 'wa', 'wan', 'wang ']) type(text)
  await settled()
  assert.deepEqual(asked.map((one) => one.wanted), ['wang'])
})

test('the arrow keys stay within the list, Enter takes the one they stand on', async () => {
  const { type, asked, active, listed, onKey, chosenNames, text, chosen, typedTimes } = searching()
  type('w')
  await settled()
  asked[0]!.answer(people('A', 'B', 'C'))
  await settled()
  assert.deepEqual([listed.value, active.value], [true, 0])
  assert.deepEqual(press(onKey, 'ArrowUp'), ['prevented'])
  assert.equal(active.value, 0)
  for (const _ of 'four') press(onKey, 'ArrowDown')
  assert.equal(active.value, 2)
  press(onKey, 'ArrowUp')
  assert.deepEqual(press(onKey, 'Enter'), ['prevented'])
  assert.deepEqual([chosenNames, text.value, listed.value], [['B'], 'B', false])
  // Chosen: the form's own Enter again. Another letter, and nobody is chosen any more.
  assert.deepEqual(press(onKey, 'Enter'), [])
  type('B2')
  assert.deepEqual([chosen.value, typedTimes()], [null, 2])
})

test('Enter never takes somebody who was found for other letters, and never sends the form with nobody chosen', async () => {
  const { type, asked, onKey, chosenNames } = searching()
  type('wang')
  await settled()
  asked[0]!.answer(people('Wang Wu'))
  await settled()
  type('wang g')
  assert.deepEqual(press(onKey, 'Enter'), ['prevented'])
  // Asked at once, and once.
  await settled()
  assert.deepEqual(asked.map((one) => one.wanted), ['wang', 'wang g'])
  assert.deepEqual(press(onKey, 'Enter'), ['prevented'])
  assert.deepEqual(chosenNames, [])
  asked[1]!.answer(people('Wang Guilan'))
  await settled()
  press(onKey, 'Enter')
  assert.deepEqual(chosenNames, ['Wang Guilan'])
})

test('keys of the input method are left to it', async () => {
  const { type, asked, onKey, chosenNames } = searching()
  type('w')
  await settled()
  asked[0]!.answer(people('Wang Wu'))
  await settled()
  assert.deepEqual(press(onKey, 'Enter', true), [])
  assert.deepEqual(chosenNames, [])
})

test('Escape folds the list and nothing else; the arrow brings it back; the next Escape is the dialog\'s', async () => {
  const { type, asked, listed, onKey, leave } = searching()
  type('w')
  await settled()
  asked[0]!.answer(people('Wang Wu'))
  await settled()
  assert.deepEqual(press(onKey, 'Escape'), ['stopped', 'prevented'])
  assert.equal(listed.value, false)
  // Folded, Enter only unfolds: nobody takes what cannot be seen.
  press(onKey, 'Enter')
  assert.equal(listed.value, true)
  press(onKey, 'Escape')
  press(onKey, 'ArrowDown')
  assert.equal(listed.value, true)
  leave()
  assert.equal(listed.value, false)
  assert.deepEqual(press(onKey, 'Escape'), [])
})

test('an answer that comes when the focus is elsewhere lies over nothing', async () => {
  const { type, asked, listed, leave } = searching()
  type('w')
  leave()
  await settled()
  asked[0]!.answer(people('Wang Wu'))
  await settled()
  assert.equal(listed.value, false)
})

test('nobody found is said, and so is a search that failed; Enter asks again', async () => {
  const { type, asked, nobody, problem, onKey, names } = searching()
  type('zzz')
  await settled()
  assert.equal(nobody.value, false)
  asked[0]!.answer(people())
  await settled()
  assert.equal(nobody.value, true)
  type('wang')
  await settled()
  asked[1]!.fail('no network')
  await settled()
  assert.deepEqual([nobody.value, problem.value], [false, 'no network'])
  press(onKey, 'Enter')
  assert.equal(problem.value, null)
  asked[2]!.answer(people('Wang Wu'))
  await settled()
  assert.deepEqual(names(), ['Wang Wu'])
})

test('for a list of people the field is empty again after each', async () => {
  const { type, asked, onKey, clear, text, chosen, listed } = searching()
  type('w')
  await settled()
  asked[0]!.answer(people('Wang Wu'))
  await settled()
  press(onKey, 'Enter')
  clear()
  assert.deepEqual([text.value, chosen.value, listed.value], ['', null, false])
  assert.deepEqual(press(onKey, 'Enter'), ['prevented'])
})
