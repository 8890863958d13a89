// Runs test/*.test.ts with node's own runner. They are bundled first, because node 20 reads no TypeScript.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

const root = fileURLToPath(new URL('..', import.meta.url))
const out = join(root, 'node_modules/.cache/tests')
const tests = readdirSync(join(root, 'test')).filter((name) => name.endsWith('.test.ts'))

await build({
  root,
  configFile: false,
  logLevel: 'error',
  build: {
    ssr: true,
    outDir: out,
    emptyOutDir: true,
    target: 'node20',
    minify: false,
    rollupOptions: {
      // The logic names components (`pages.ts`); no test opens one.
      external: /\.vue$/,
      input: Object.fromEntries(tests.map((name) => [basename(name, '.ts'), join(root, 'test', name)])),
      output: { entryFileNames: '[name].mjs', format: 'es' },
    },
  },
})

const files = tests.map((name) => join(out, `${basename(name, '.ts')}.mjs`))
process.exit(spawnSync(process.execPath, ['--test', ...process.argv.slice(2), ...files], { stdio: 'inherit', cwd: root }).status ?? 1)
