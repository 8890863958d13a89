// Prints the compressed size of what each page loads first, and fails over its limit.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

const dist = fileURLToPath(new URL('../../dist', import.meta.url))
const LIMITS_KB = { 'index.html': 150, 'm/index.html': 40, 'home/index.html': 40 }
let failed = false
for (const [page, limit] of Object.entries(LIMITS_KB)) {
  const html = readFileSync(join(dist, page), 'utf8')
  const sizes = { js: 0, css: 0 }
  for (const [, url] of html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)) {
    sizes[url.endsWith('.css') ? 'css' : 'js'] += gzipSync(readFileSync(join(dist, url)), { level: 9 }).length
  }
  const kb = (n) => (n / 1000).toFixed(1)
  failed ||= sizes.js > limit * 1000
  process.stdout.write(`${page}: js ${kb(sizes.js)} kB (limit ${limit}), css ${kb(sizes.css)} kB, gzipped\n`)
}
process.exit(failed ? 1 : 0)
