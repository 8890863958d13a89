// Small checks of our own that a type checker cannot make. Prints file:line and fails.
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const found = []

function* files(dir) {
  for (const name of readdirSync(dir)) {
    const path = join(dir, name)
    if (statSync(path).isDirectory()) yield* files(path)
    else yield path
  }
}

const say = (path, text, at, what) => found.push(`${relative(root, path)}:${text.slice(0, at).split('\n').length}: ${what}`)

const messages = {}
for (const path of files(join(root, 'src/locales'))) {
  const found = JSON.parse(readFileSync(path, 'utf8'))
  const pairs = /\.(zh|en)\.json$/.test(path) ? '' : `${basename(path, '.json')}.`
  for (const [key, text] of Object.entries(found)) messages[pairs + key] = text
}
const keys = new Set(Object.keys(messages))
const used = new Set()

for (const path of files(join(root, 'src'))) {
  if (!/\.(ts|vue|css)$/.test(path)) continue
  const text = readFileSync(path, 'utf8')
  const each = (pattern, check) => {
    for (const match of text.matchAll(pattern)) check(match)
  }
  if (!path.endsWith('tokens.css')) each(/#[0-9a-fA-F]{6}\b/g, (m) => say(path, text, m.index, `colour ${m[0]}: use a token`))
  each(/\bconsole\.(log|debug|warn|error)\b/g, (m) => say(path, text, m.index, `${m[0]} left in`))
  each(/\bv-html\b|\.innerHTML\s*=/g, (m) => say(path, text, m.index, `${m[0].trim()}: text from outside must stay text`))
  each(/\p{Extended_Pictographic}/gu, (m) => /[✓✗↵↑]/u.test(m[0]) || say(path, text, m.index, `emoji ${m[0]}: use an inline icon`))
  if (!path.includes('clock.ts') && !path.includes('browser')) each(/\bnew Date\(\)/g, (m) => say(path, text, m.index, 'the PC clock: use serverNow()'))
  if (path.endsWith('.ts') && !path.includes('locales')) each(/[\u4e00-\u9fff]/gu, (m) => say(path, text, m.index, `text in code: ${m[0]}`))
  each(/(?<![\w.])t\(\s*['`]([^'`]*)['`]/g, (m) => {
    const key = m[1].split('${')[0]
    used.add(key)
    const known = m[1].includes('${') ? [...keys].some((k) => k.startsWith(key)) : keys.has(key)
    if (!known) say(path, text, m.index, `no message for "${m[1]}"`)
  })
}

if (found.length) {
  process.stderr.write(`${found.join('\n')}\n`)
  process.exit(1)
}
process.stdout.write(`lint: ${keys.size} messages, no findings\n`)
