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

// A push shows what may stand on a lock screen and nothing else; what is true is fetched by the page it opens.
self.addEventListener('push', (event) => {
  let shown = {}
  try {
    shown = event.data?.json() ?? {}
  } catch {
    // Something else than the hub's own words: shown as a bare hint.
  }
  const title = typeof shown.title === 'string' && shown.title ? shown.title : '\u65b0\u901a\u77e5'
  const body = typeof shown.body === 'string' ? shown.body : ''
  const tag = typeof shown.tag === 'string' ? shown.tag : undefined
  event.waitUntil(self.registration.showNotification(title, { body, tag, requireInteraction: shown.lane === 'alarm', icon: '/mark.svg' }))
})

self.addEventListener('notificationclick', (event) => {
  event.notification.close()
  event.waitUntil(
    (async () => {
      const open = await self.clients.matchAll({ type: 'window', includeUncontrolled: true })
      const ours = open.find((client) => new URL(client.url).pathname.startsWith('/m'))
      await (ours ? ours.focus() : self.clients.openWindow('/m/'))
    })(),
  )
})
