/** IndexedDB: the outbox, and the last tasks for a start without a signal. Without it (forbidden storage) memory serves. */
import type { Session, Task } from '../core/types.ts'
import type { OutboxStore, Queued } from './outbox.ts'

const NAME = 'care-hub-phone'

export interface Kept {
  session: Session
  tasks: Task[]
  at: number
}

function asPromise<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((done, fail) => {
    request.onsuccess = () => done(request.result)
    request.onerror = () => fail(request.error ?? new Error('storage'))
  })
}

let opening: Promise<IDBDatabase> | null = null

function database(): Promise<IDBDatabase> {
  opening ??= new Promise((done, fail) => {
    const request = indexedDB.open(NAME, 1)
    request.onupgradeneeded = () => {
      request.result.createObjectStore('outbox', { keyPath: 'seq', autoIncrement: true })
      request.result.createObjectStore('kept')
    }
    request.onsuccess = () => done(request.result)
    request.onerror = () => fail(request.error ?? new Error('storage'))
  })
  return opening
}

async function store(name: 'outbox' | 'kept', mode: IDBTransactionMode): Promise<IDBObjectStore> {
  // `strict`: a step that was pressed is on the disk before the card says so.
  return (await database()).transaction(name, mode, { durability: mode === 'readwrite' ? 'strict' : 'default' }).objectStore(name)
}

async function written(into: IDBObjectStore): Promise<void> {
  await new Promise<void>((done, fail) => {
    into.transaction.oncomplete = () => done()
    into.transaction.onabort = () => fail(into.transaction.error ?? new Error('storage'))
  })
}

const inDatabase: OutboxStore = {
  all: async () => asPromise((await store('outbox', 'readonly')).getAll() as IDBRequest<Queued[]>),
  async add(item) {
    const into = await store('outbox', 'readwrite')
    const end = written(into)
    const seq = await asPromise(into.add(item))
    await end
    return { ...item, seq: Number(seq) }
  },
  async put(item) {
    const into = await store('outbox', 'readwrite')
    const end = written(into)
    into.put(item)
    await end
  },
  async remove(seq) {
    const into = await store('outbox', 'readwrite')
    const end = written(into)
    into.delete(seq)
    await end
  },
}

export function memoryStore(): OutboxStore {
  const items = new Map<number, Queued>()
  let last = 0
  return {
    all: async () => [...items.values()],
    async add(item) {
      const kept = { ...item, seq: ++last }
      items.set(kept.seq, kept)
      return kept
    },
    put: async (item) => void items.set(item.seq, item),
    remove: async (seq) => void items.delete(seq),
  }
}

export async function outboxStore(): Promise<OutboxStore> {
  try {
    await database()
    return inDatabase
  } catch {
    return memoryStore()
  }
}

/** `name`: what it is, for whatever is not the tasks (`last`). */
export async function keep(value: unknown, name = 'last'): Promise<void> {
  try {
    const into = await store('kept', 'readwrite')
    into.put(structuredClone(value), name)
  } catch {
    // no storage: a start without a signal shows nothing, and says so
  }
}

export async function kept<T = Kept>(name = 'last'): Promise<T | null> {
  try {
    return ((await asPromise((await store('kept', 'readonly')).get(name))) as T | undefined) ?? null
  } catch {
    return null
  }
}

/** Signing out takes the residents' names off the phone. */
export async function forget(): Promise<void> {
  try {
    const into = await store('kept', 'readwrite')
    into.clear()
    await written(into)
  } catch {
    // nothing was kept
  }
}
