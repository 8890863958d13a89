import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rowsOf, type AreaNode } from '../src/console/areas/tree.ts'
import { contactBody, contactForm, type ContactRecord } from '../src/console/contacts/contact.ts'
import { changesOf, formOf, placeOf, readIdNumber, rebased, type RecordOf } from '../src/console/resident/record.ts'

const person: RecordOf = { id: 'R1', name: '陈秀英', phone: '139****0001', lat: 31.33, lon: 118.39, conditions: [], languages: ['zh'], access: {}, masked: ['access', 'conditions', 'phone'], version: 3 }

test('only what was changed is sent, and nothing that was masked', () => {
  const form = formOf(person)
  assert.deepEqual(changesOf(form, person), {})
  form.address = ' 西里 3 幢 '
  form.flags = '独居、使用轮椅'
  form.lat = '31.34, 118.40'
  form.lon = ''
  assert.deepEqual(changesOf(form, person), { address: '西里 3 幢', flags: ['独居', '使用轮椅'], lat: 31.34, lon: 118.4 })
})

test('the way in keeps what the form has no field for', () => {
  const opened: RecordOf = { ...person, masked: undefined, access: { gate: '1234', pet: '狗' } }
  const form = formOf(opened)
  form.gate = ''
  form.lift = '有'
  assert.deepEqual(changesOf(form, opened).access, { gate: null, lift: '有', pet: '狗' })
})

test('after a lost race what was typed stays and the rest is the newer record', () => {
  const form = formOf(person)
  form.address = '东门'
  const now = { ...person, name: '陈秀瑛', address: '西里', version: 4 }
  const merged = rebased(form, person, now)
  assert.deepEqual([merged.address, merged.name], ['东门', '陈秀瑛'])
  assert.deepEqual(changesOf(merged, now), { address: '东门' })
})

test('a place is two numbers or none, and an ID card says who', () => {
  assert.equal(placeOf({ lat: '31', lon: '' }), null)
  assert.equal(placeOf({ lat: '91', lon: '118' }), null)
  assert.deepEqual(placeOf({ lat: '', lon: '' }), { lat: null, lon: null })
  assert.deepEqual(readIdNumber('340202194405011227'), { born_on: '1944-05-01', sex: 'f' })
  assert.equal(readIdNumber('G12345678'), null)
})

test('a new resident without a name of the form is whole', () => {
  const form = formOf(null)
  form.name = '何桂英'
  assert.deepEqual(changesOf(form, null), { name: '何桂英', languages: ['zh'] })
})

test('a contact keeps masked numbers', () => {
  const was = { id: 'K1', name: '陈静', relation: '女儿', phone: '139****0002', kind: 'family', has_key: false, position: 1, other_phones: ['055****2345'], version: 1 } as ContactRecord
  const form = contactForm(was)
  form.hours = '18 点后'
  form.has_key = true
  assert.deepEqual(contactBody(form, was), { hours: '18 点后', has_key: true })
})

const node = (id: string, parent_id: string | null, residents = 0, more: Partial<AreaNode> = {}): AreaNode => ({ id, parent_id, kind: 'grid', name: id, households: null, active: true, lat: null, lon: null, has_boundary: true, residents, officers: [], stations: [], version: 1, ...more })

test('the tree counts what lies below, folds, and shows the way to what is looked for', () => {
  const nodes = [node('D', null), node('C1', 'D', 1), node('C2', 'D'), node('G1', 'C1', 5, { officers: [{ id: 'S', name: '孙伟', phone: null }] }), node('G2', 'C1', 2), node('X', 'gone'), node('Old', 'C2', 0, { active: false })]
  const ids = (rows: { id: string }[]) => rows.map((one) => one.id)
  const all = rowsOf(nodes, new Set(), '', false)
  assert.deepEqual(ids(all), ['D', 'C1', 'G1', 'G2', 'C2', 'X'])
  assert.deepEqual([all[0]!.all, all[1]!.all, all[2]!.depth], [8, 8, 2])
  const folded = rowsOf(nodes, new Set(['C1']), '', true)
  assert.deepEqual(ids(folded), ['D', 'C1', 'C2', 'Old', 'X'])
  assert.equal(folded[1]!.all, 8)
  assert.deepEqual(ids(rowsOf(nodes, new Set(['C1']), '孙', false)), ['D', 'C1', 'G1'])
})
