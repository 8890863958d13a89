import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import vue from '@vitejs/plugin-vue'
import { defineConfig, type Plugin } from 'vite'

/** Writes `x.gz` beside every text file of the build, so the hub serves it compressed without work at run time. */
function precompressed(): Plugin {
  return {
    name: 'precompressed',
    apply: 'build',
    writeBundle(options) {
      const assets = join(options.dir ?? '', 'assets')
      for (const name of readdirSync(assets)) {
        if (!/\.(js|css|svg)$/.test(name)) continue
        writeFileSync(join(assets, `${name}.gz`), gzipSync(readFileSync(join(assets, name)), { level: 9 }))
      }
    },
  }
}

/**
 * The parts of the phone page that come late are all fetched right after the first paint (`src/phone/late.ts`), and their styles
 * come with it: nothing is left to preload, so the page does not carry the code for it.
 */
function unpreloaded(): Plugin {
  return {
    name: 'unpreloaded',
    apply: 'build',
    enforce: 'pre',
    load: (id) => (id.endsWith('vite/preload-helper.js') ? 'export const __vitePreload = (load) => load()' : null),
  }
}

/**
 * Three builds into one folder: `vite build` makes the console, `vite build --mode phone` the phone page, `--mode home` the page of
 * residents, families and scanned codes. Nobody loads two, and what they would share would make each carry the others' part of it.
 */
const SMALL: Record<string, string> = { phone: 'm/index.html', home: 'home/index.html' }

export default defineConfig(({ mode }) => ({
  root: __dirname,
  base: '/',
  plugins: [vue(), precompressed(), ...(mode === 'phone' ? [unpreloaded()] : [])],
  define: {
    __VUE_OPTIONS_API__: 'false',
    __VUE_PROD_DEVTOOLS__: 'false',
    __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false',
  },
  build: {
    outDir: resolve(__dirname, '../dist'),
    emptyOutDir: !(mode in SMALL),
    target: 'es2022',
    // The phone's few styles come at once: a part that comes late must not wait for its own.
    cssCodeSplit: mode !== 'phone',
    // The content security policy allows no data: addresses for scripts or styles; every asset stays a file.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    modulePreload: { polyfill: false, ...(mode === 'phone' ? { resolveDependencies: (_name: string, deps: string[], context: { hostType: string }) => (context.hostType === 'html' ? deps : []) } : {}) },
    rollupOptions: {
      input: resolve(__dirname, SMALL[mode] ?? 'index.html'),
      output: { assetFileNames: `assets/${mode in SMALL ? mode : 'console'}-[hash][extname]`, entryFileNames: `assets/${mode in SMALL ? mode : 'console'}-[hash].js` },
    },
  },
}))
