// The offline shell of the phone page. Hashed assets never change, so they come from the cache first; the page itself comes
// from the network and, without a signal, from the cache. The API is never touched: live state and writes are the page's own.
const SHELL = 'care-hub-shell-1'

async function keepShell() {
  const cache = await caches.open(SHELL)
  const answer = await fetch('/m/', { cache: 'no-store' })
  if (!answer.ok) return
  const html = await answer.clone().text()
  await cache.put('/m/', answer)
  const wanted = new Set([...html.matchAll(/(?:src|href)="(\/assets\/[^"]+|\/mark\.svg|\/m\/manifest\.webmanifest)"/g)].map((m) => m[1]))
  // What a page loads later is named in what it loads first: without a signal it must be there all the same.
  for (const url of wanted) {
    if (!(await cache.match(url))) await cache.add(url)
    if (!url.endsWith('.js')) continue
    const text = await (await cache.match(url)).text()
    for (const m of text.matchAll(/["'`](?:\.\/|\/?assets\/)([\w.-]+\.(?:js|css))["'`]/g)) wanted.add(`/assets/${m[1]}`)
  }
  for (const request of await cache.keys()) {
    const path = new URL(request.url).pathname
    if (path.startsWith('/assets/') && !wanted.has(path)) await cache.delete(request)
  }
}

self.addEventListener('install', (event) => {
  self.skipWaiting()
  event.waitUntil(keepShell())
})

self.addEventListener('activate', (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys()) if (name.startsWith('care-hub-shell-') && name !== SHELL) await caches.delete(name)
      await self.clients.claim()
    })(),
  )
})

self.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url)
  if (event.request.method !== 'GET' || url.origin !== self.location.origin || url.pathname.startsWith('/api/')) return
  if (event.request.mode === 'navigate' && url.pathname.startsWith('/m')) {
    event.respondWith(
      (async () => {
        try {
          const answer = await fetch(event.request, { signal: AbortSignal.timeout(4000) })
          if (answer.ok) event.waitUntil(keepShell())
          return answer
        } catch {
          return (await caches.match('/m/')) ?? Response.error()
        }
      })(),
    )
  } else if (url.pathname.startsWith('/assets/') || url.pathname === '/mark.svg' || url.pathname.startsWith('/m/')) {
    event.respondWith((async () => (await caches.match(event.request)) ?? fetch(event.request))())
  }
})
