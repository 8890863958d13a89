/** Finding one person of the register by a few letters: what `PersonField.vue` shows and which key does what. */
import { computed, ref, shallowRef } from 'vue'

interface Found<T> {
  items: T[]
  /** There are more than these. */
  next: string | null
}

/** What a key needs to say of itself; a `KeyboardEvent` does. */
export interface Key {
  key: string
  isComposing: boolean
  preventDefault(): void
  stopPropagation(): void
}

/**
 * `ask`: the hub's answer to what is typed. `explain`: a failure in the words of the page.
 * `choose` is told who was chosen, `typing` that whoever was chosen is so no more.
 * `restMs`: so long nothing is typed before the hub is asked.
 */
export function personSearch<T extends { name: string }>(
  ask: (wanted: string) => Promise<Found<T>>,
  explain: (error: unknown) => string,
  told: { choose: (one: T) => void; typing: () => void },
  restMs = 180,
) {
  const text = ref('')
  const found = shallowRef<T[]>([])
  const more = ref(false)
  const active = ref(0)
  const chosen = shallowRef<T | null>(null)
  const state = ref<'idle' | 'asking' | 'answered' | 'failed'>('idle')
  const problem = ref<string | null>(null)
  const unfolded = ref(false)
  let timer: ReturnType<typeof setTimeout> | null = null
  // Counted up by every letter, not by every request: an answer to what was typed before never comes after it.
  let run = 0

  const listed = computed(() => unfolded.value && found.value.length > 0)
  /** Nobody is called that: said below the field while it has the focus. */
  const nobody = computed(() => unfolded.value && state.value === 'answered' && !found.value.length)

  function forget(): void {
    run++
    if (timer) clearTimeout(timer)
    timer = null
    found.value = []
    more.value = false
    active.value = 0
    state.value = 'idle'
    problem.value = null
  }

  async function now(): Promise<void> {
    if (timer) clearTimeout(timer)
    timer = null
    const mine = ++run
    state.value = 'asking'
    problem.value = null
    try {
      const page = await ask(text.value.trim())
      if (mine !== run) return
      found.value = page.items
      more.value = page.next !== null
      active.value = 0
      state.value = 'answered'
    } catch (error) {
      if (mine !== run) return
      found.value = []
      problem.value = explain(error)
      state.value = 'failed'
    }
  }

  /** The field's text is another one. What was found for the old one stays to be seen, and Enter takes none of it. */
  function type(typed: string): void {
    text.value = typed
    chosen.value = null
    told.typing()
    if (!typed.trim()) return forget()
    run++
    state.value = 'asking'
    problem.value = null
    unfolded.value = true
    if (timer) clearTimeout(timer)
    timer = setTimeout(() => void now(), restMs)
  }

  function choose(one: T): void {
    forget()
    text.value = one.name
    chosen.value = one
    told.choose(one)
  }

  function onKey(event: Key): void {
    // Enter and the arrows belong to the input method while it offers characters.
    if (event.isComposing) return
    const taken = () => event.preventDefault()
    if (event.key === 'ArrowDown' && found.value.length) {
      if (listed.value) active.value = Math.min(found.value.length - 1, active.value + 1)
      unfolded.value = true
      taken()
    } else if (event.key === 'ArrowUp' && listed.value) {
      active.value = Math.max(0, active.value - 1)
      taken()
    } else if (event.key === 'Escape' && (listed.value || nobody.value)) {
      unfolded.value = false
      // The dialog around it stays open.
      event.stopPropagation()
      taken()
    } else if (event.key === 'Enter' && !chosen.value) {
      // Never sends the form: whoever is meant is not chosen yet.
      taken()
      const one = found.value[active.value]
      if (state.value === 'answered' && listed.value && one) choose(one)
      else if (timer !== null || state.value === 'failed') void now()
      else unfolded.value = true
    }
  }

  /** The focus is elsewhere: nothing lies over the next field any more, also when an answer is still on its way. */
  const leave = () => (unfolded.value = false)
  /** Empty again, for the next one; nobody is told. */
  function clear(): void {
    forget()
    text.value = ''
    chosen.value = null
  }
  return { text, found, more, active, chosen, state, problem, listed, nobody, type, choose, onKey, leave, clear, stop: forget }
}
