/** Pushes to this phone: asked for by a press, never by itself; without a push service the page says so. */
import { get, post } from '../core/http.ts'

export type PushState = 'off' | 'on' | 'denied' | 'unable'

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const padded = text.replaceAll('-', '+').replaceAll('_', '/') + '='.repeat((4 - (text.length % 4)) % 4)
  const raw = atob(padded)
  const bytes = new Uint8Array(new ArrayBuffer(raw.length))
  for (let at = 0; at < raw.length; at++) bytes[at] = raw.charCodeAt(at)
  return bytes
}

const able = () => 'serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window

async function worker(): Promise<ServiceWorkerRegistration | undefined> {
  return able() ? navigator.serviceWorker.getRegistration('/m/') : undefined
}

/** What is so now. `unable`: this browser or this hub has no pushes. */
export async function pushState(): Promise<PushState> {
  const found = await worker()
  if (!found) return 'unable'
  const { public_key: key } = await get<{ public_key: string | null }>('/my/push')
  if (!key) return 'unable'
  if (Notification.permission === 'denied') return 'denied'
  return (await found.pushManager.getSubscription()) ? 'on' : 'off'
}

export async function subscribe(): Promise<PushState> {
  const found = await worker()
  const { public_key: key } = await get<{ public_key: string | null }>('/my/push')
  if (!found || !key) return 'unable'
  if ((await Notification.requestPermission()) !== 'granted') return 'denied'
  const given = await found.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytesOf(key) })
  const { endpoint, keys } = given.toJSON()
  await post('/my/push', { endpoint, keys: { p256dh: keys?.p256dh, auth: keys?.auth } })
  return 'on'
}

export async function unsubscribe(): Promise<PushState> {
  const given = await (await worker())?.pushManager.getSubscription()
  if (given) {
    await post('/my/push/remove', { endpoint: given.endpoint })
    await given.unsubscribe()
  }
  return 'off'
}
