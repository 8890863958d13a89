/** A list from the server, a page at a time, with honest states. */
import { ref, shallowRef, watch, type Ref } from 'vue'
import { get, query } from '../../core/http.ts'
import type { Page } from '../../core/types.ts'
import { explain } from '../actions.ts'
import { useKeys } from '../keys.ts'
import { select, selectedId, type PageName } from '../route.ts'
import { linkState } from '../store.ts'

type Values = Record<string, string | readonly string[] | undefined>

const MOST = 5000

/** `whole`: while it is true all pages are fetched, because the page filters what the server cannot. */
export function usePaged<T>(path: string, params: Ref<Values>, whole?: Ref<boolean>) {
  const items = shallowRef<T[]>([])
  const next = ref<string | null>(null)
  const state = ref<'loading' | 'loaded' | 'failed'>('loading')
  const problem = ref('')
  let run = 0
  let timer: ReturnType<typeof setTimeout> | null = null

  async function load(more = false) {
    const mine = ++run
    state.value = 'loading'
    try {
      const page = await get<Page<T>>(path + query({ ...params.value, limit: whole?.value ? 500 : 100, cursor: more ? next.value : undefined }))
      if (mine !== run) return
      items.value = more ? [...items.value, ...page.items] : page.items
      next.value = page.next
      state.value = 'loaded'
      if (whole?.value && next.value && items.value.length < MOST) void load(true)
    } catch (error) {
      if (mine !== run) return
      problem.value = explain(error)
      state.value = 'failed'
    }
  }

  watch(
    params,
    () => {
      if (timer) clearTimeout(timer)
      timer = setTimeout(() => void load(), 200)
    },
    { deep: true },
  )
  if (whole) {
    watch(whole, (now) => {
      if (now && next.value) void load(true)
    })
  }
  // After a gap the list may be old.
  watch(linkState, (now, before) => {
    if (now === 'live' && before !== 'connecting') void load()
  })
  void load()
  return { items, next, state, problem, load }
}

/** A list without its rows: how it stands, and how to have it again. */
export type Paged = Omit<ReturnType<typeof usePaged>, 'items'>

/** J, K, arrows and Esc on a list whose selection is the address. */
export function useRowKeys(page: PageName, rows: Ref<readonly { id: string }[]>): void {
  const move = (by: number) => {
    const at = rows.value.findIndex((one) => one.id === selectedId.value)
    const to = rows.value[at < 0 ? 0 : Math.min(rows.value.length - 1, Math.max(0, at + by))]
    if (to) select(page, to.id)
  }
  useKeys(() => ({
    j: () => move(1),
    ArrowDown: () => move(1),
    k: () => move(-1),
    ArrowUp: () => move(-1),
    Escape: () => select(page, null),
  }))
}
