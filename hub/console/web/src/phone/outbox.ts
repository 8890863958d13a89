/**
 * Steps pressed on the phone, kept until the hub has taken them. They leave in the order they were pressed, each with its own
 * key (a lost answer is not done twice) and the time of the press. A refused step is kept and shown: it is somebody's record.
 */
import { Problem } from '../core/http.ts'
import type { Assignment, NextStep, Task } from '../core/types.ts'

/** What follows the first two moves nothing: it stands beside the steps. */
export type Step = NextStep | 'decline' | 'all-well' | 'photos' | 'gate' | 'vitals' | 'tap' | 'order'

/** A visit has a record of its own; a meal has its taps at the door. */
export const isVisit = (task: Task) => task.order !== null && !task.order.kind.startsWith('meal')

export interface Queued {
  seq: number
  key: string
  user: string
  assignment: string
  step: Step
  path: string
  body: Record<string, unknown>
  /** Why the hub would not take it; set once, then the item waits to be read. */
  refused: string | null
  name: string
}

export interface OutboxStore {
  all(): Promise<Queued[]>
  add(item: Omit<Queued, 'seq'>): Promise<Queued>
  put(item: Queued): Promise<void>
  remove(seq: number): Promise<void>
}

export interface OutboxDeps {
  send(item: Queued): Promise<void>
  after(ms: number, run: () => void): () => void
  changed(items: readonly Queued[]): void
  explain(error: unknown): string
}

const RETRY_MS = [1000, 2000, 4000, 8000, 15000, 30000]

export class Outbox {
  items: Queued[] = []
  private readonly store: OutboxStore
  private readonly deps: OutboxDeps
  private user: string | null = null
  private sending = false
  private again = false
  private tries = 0
  private cancelRetry: (() => void) | null = null

  constructor(store: OutboxStore, deps: OutboxDeps) {
    this.store = store
    this.deps = deps
  }

  /** Only this person's steps are shown and sent: a phone may change hands. */
  async open(user: string): Promise<void> {
    this.user = user
    this.items = (await this.store.all()).filter((item) => item.user === user).sort((a, b) => a.seq - b.seq)
    this.deps.changed(this.items)
    void this.flush()
  }

  get waiting(): Queued[] {
    return this.items.filter((item) => item.refused === null)
  }

  /** In the order they were pressed; photos behind all steps, for a picture on a weak signal must not hold up an arrival. */
  private get first(): Queued | undefined {
    return this.waiting.find((item) => item.step !== 'photos') ?? this.waiting[0]
  }

  async add(item: Omit<Queued, 'seq' | 'user' | 'refused'>): Promise<void> {
    if (this.user === null) throw new Error('the outbox is not open')
    const kept = await this.store.add({ ...item, user: this.user, refused: null })
    this.items = [...this.items, kept]
    this.deps.changed(this.items)
    void this.flush()
  }

  async dismiss(seq: number): Promise<void> {
    await this.store.remove(seq)
    this.items = this.items.filter((item) => item.seq !== seq)
    this.deps.changed(this.items)
  }

  /** The network is back: no waiting for the next try. */
  wake(): void {
    this.tries = 0
    void this.flush()
  }

  async flush(): Promise<void> {
    if (this.sending) {
      this.again = true
      return
    }
    this.sending = true
    this.cancelRetry?.()
    this.cancelRetry = null
    try {
      for (let item = this.first; item; item = this.first) {
        try {
          await this.deps.send(item)
        } catch (error) {
          if (!isFinal(error)) {
            const wait = RETRY_MS[Math.min(this.tries++, RETRY_MS.length - 1)]!
            this.cancelRetry = this.deps.after(wait, () => void this.flush())
            return
          }
          const refused = { ...item, refused: this.deps.explain(error) }
          await this.store.put(refused)
          this.items = this.items.map((one) => (one.seq === refused.seq ? refused : one))
          this.deps.changed(this.items)
          continue
        }
        this.tries = 0
        await this.store.remove(item.seq)
        const sent = item.seq
        this.items = this.items.filter((one) => one.seq !== sent)
        this.deps.changed(this.items)
      }
    } finally {
      this.sending = false
      if (this.again) {
        this.again = false
        if (!this.cancelRetry) void this.flush()
      }
    }
  }
}

/** Whether asking again can never help. No network, a server that is away, a lapsed session or a full queue can all pass. */
export function isFinal(error: unknown): boolean {
  if (!(error instanceof Problem)) return false
  // `in-progress`: the first try with this key is still under way; the next one gets its answer.
  if (error.code === 'in-progress') return false
  return error.status >= 400 && error.status < 500 && ![401, 408, 425, 429].includes(error.status)
}

const AFTER: Partial<Record<Step, { state: Task['assignment']['state']; next: NextStep | null }>> = {
  accept: { state: 'accepted', next: 'en-route' },
  'en-route': { state: 'en_route', next: 'on-scene' },
  'on-scene': { state: 'on_scene', next: 'complete' },
  complete: { state: 'completed', next: null },
  decline: { state: 'declined', next: null },
}

const NEXT: Partial<Record<Assignment['state'], NextStep>> = { offered: 'accept', accepted: 'en-route', en_route: 'on-scene', on_scene: 'complete' }

/** The list with what the hub answered to a step; an older answer changes nothing. */
export function taken(tasks: readonly Task[], answer: Assignment): Task[] {
  return tasks.map((task) =>
    task.assignment.id === answer?.id && task.assignment.version <= answer.version ? { ...task, assignment: answer, next: NEXT[answer.state] ?? null } : task,
  )
}

export interface Shown {
  task: Task
  state: Task['assignment']['state']
  next: NextStep | null
  /** How many of its steps are still on the phone. */
  pending: number
}

/** What the hub last said, with the steps still on the phone laid over it. */
export function project(tasks: readonly Task[], items: readonly Queued[]): Shown[] {
  return tasks.map((task) => {
    const own = items.filter((item) => item.assignment === task.assignment.id && item.refused === null)
    const after = own.reduce<(typeof AFTER)[Step]>((known, item) => AFTER[item.step] ?? known, undefined)
    return { task, ...(after ?? { state: task.assignment.state, next: task.next }), pending: own.length }
  })
}

/** Critical first, then what is under way, then by the time it is wanted. */
export function byImportance(a: Shown, b: Shown): number {
  const critical = (s: Shown) => Number(s.task.incident?.priority !== 'critical')
  const kind = (s: Shown) => Number(s.task.incident === null)
  const moving = (s: Shown) => Number(!(s.state === 'en_route' || s.state === 'on_scene'))
  const at = (s: Shown) => Date.parse(s.task.incident?.opened_at ?? s.task.order?.wanted_from ?? '') || 0
  return critical(a) - critical(b) || kind(a) - kind(b) || moving(a) - moving(b) || at(a) - at(b)
}
