/** Plain requests to `/api/v1`. Every failure is a `Problem` that a page can word. */

import { language } from './i18n.ts'

export const API = '/api/v1'

/** An RFC 9457 problem document, or `network` (status 0) when no answer came. */
export class Problem extends Error {
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly by: { id?: string; name?: string } | null
  readonly at: string | null
  readonly field: string | null
  readonly retryAfterS: number | null
  /** Whatever else the document says. */
  readonly body: Readonly<Record<string, unknown>>

  constructor(status: number, code: string, detail: string, body: Record<string, unknown> = {}) {
    super(detail || code)
    this.name = 'Problem'
    this.status = status
    this.code = code
    this.detail = detail
    const by = body.by
    this.by = typeof by === 'string' ? { name: by } : ((by as Problem['by']) ?? null)
    this.at = typeof body.at === 'string' ? body.at : null
    this.field = typeof body.field === 'string' ? body.field : null
    this.body = body
    this.retryAfterS = typeof body.retry_after_s === 'number' ? body.retry_after_s : null
  }

  /** Somebody else was first, or the thing changed since it was read. */
  get lost(): boolean {
    return this.status === 409 || this.status === 412
  }

  /** No answer, or one that says "later": nothing is known to have happened. */
  get unreachable(): boolean {
    return this.status === 0 || this.status === 502 || this.status === 503 || this.status === 504
  }
}

export interface CallOptions {
  body?: unknown
  /** Sent as `If-Match`: the write happens only on that version. */
  version?: number
  /** Sent as `Idempotency-Key`: a repeat gives the first answer. */
  key?: string
  timeoutMs?: number
  signal?: AbortSignal
}

let unauthorised: () => void = () => {}

/** Told on every 401 but the sign-in's own. */
export function onUnauthorised(listener: () => void): void {
  unauthorised = listener
}

export async function call<T>(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, options: CallOptions = {}): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json', 'Accept-Language': language.value }
  if (options.body !== undefined) headers['Content-Type'] = 'application/json'
  if (options.version !== undefined) headers['If-Match'] = `"${options.version}"`
  if (options.key) headers['Idempotency-Key'] = options.key
  const limit = AbortSignal.timeout(options.timeoutMs ?? 15000)
  let answer: Response
  let text: string
  try {
    answer = await fetch(API + path, {
      method,
      headers,
      credentials: 'same-origin',
      cache: 'no-store',
      body: options.body === undefined ? undefined : JSON.stringify(options.body),
      signal: options.signal ? AbortSignal.any([options.signal, limit]) : limit,
    })
    text = await answer.text()
  } catch (error) {
    if (options.signal?.aborted) throw error
    throw new Problem(0, 'network', '')
  }
  let body: unknown = null
  try {
    body = text ? JSON.parse(text) : null
  } catch {
    if (answer.ok) throw new Problem(answer.status, 'not-json', '')
  }
  if (answer.ok) return body as T
  const problem = (body && typeof body === 'object' ? body : {}) as Record<string, unknown>
  if (answer.status === 401 && !(path === '/session' && method === 'POST')) unauthorised()
  const code = typeof problem.type === 'string' ? problem.type.replace(/^.*:/, '') : 'error'
  const retry = Number(answer.headers.get('Retry-After'))
  if (retry > 0 && problem.retry_after_s === undefined) problem.retry_after_s = retry
  const detail = typeof problem.detail === 'string' ? problem.detail : typeof problem.title === 'string' ? problem.title : ''
  throw new Problem(answer.status, code, detail, problem)
}

export const get = <T>(path: string, options?: CallOptions) => call<T>('GET', path, options)
export const post = <T>(path: string, body: unknown = {}, options: CallOptions = {}) =>
  call<T>('POST', path, { ...options, body, key: options.key ?? newKey() })

/** A fresh idempotency key. `crypto.randomUUID` is missing on plain http, where a site is still being set up. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('')
}

/** `?a=1&b=2` without empty values; arrays repeat their name. */
export function query(values: Record<string, string | number | boolean | null | undefined | readonly string[]>): string {
  const params = new URLSearchParams()
  for (const [name, value] of Object.entries(values)) {
    if (Array.isArray(value)) for (const one of value) params.append(name, one)
    else if (value !== null && value !== undefined && value !== '') params.append(name, String(value))
  }
  const text = params.toString()
  return text ? `?${text}` : ''
}

/** All pages of a list, up to `most` rows. `cursor` is the stream position of the first page: a stream from there misses nothing. */
export async function getAll<T>(path: string, params: Record<string, string | readonly string[] | undefined> = {}, most = 10000) {
  const items: T[] = []
  let cursor: string | null = null
  let next: string | null = null
  do {
    const page: { items: T[]; next: string | null; cursor?: string | null } = await get(
      path + query({ ...params, limit: 500, cursor: next ?? undefined }),
    )
    cursor ??= page.cursor ?? null
    items.push(...page.items)
    next = page.next
  } while (next && items.length < most)
  return { items, cursor }
}
