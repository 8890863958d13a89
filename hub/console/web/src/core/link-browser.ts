/** The link's real surroundings: EventSource, timers, requests. */
import { API, Problem, get, query } from './http.ts'
import { EVENT_NAMES, type LinkDeps } from './link.ts'
import type { LiveEvent } from './types.ts'

export const browserDeps: LinkDeps = {
  now: () => performance.now(),
  random: () => Math.random(),
  after(ms, run) {
    const id = setTimeout(run, ms)
    return () => clearTimeout(id)
  },
  open(cursor, listener) {
    const source = new EventSource(`${API}/stream${query({ cursor })}`)
    for (const name of EVENT_NAMES) {
      source.addEventListener(name, (event) => listener.event(name, (event as MessageEvent<string>).data, (event as MessageEvent).lastEventId))
    }
    source.onerror = () => listener.error()
    return source
  },
  async probe() {
    try {
      await get('/session', { timeoutMs: 5000 })
      return 'ok'
    } catch (error) {
      return error instanceof Problem && error.status === 401 ? 'signed_out' : 'unreachable'
    }
  },
  poll: (cursor, signal) =>
    get<{ events?: LiveEvent[]; cursor?: string | null; reset?: boolean }>(`/changes${query({ since: cursor, wait: 20 })}`, {
      signal,
      timeoutMs: 35000,
    }),
}
