/** What is sent to the hub: one at a time, and what the hub says of it where it belongs. */
import { ref } from 'vue'
import { Problem, newKey } from './http.ts'

/** `failed` is told what it failed with; nothing is thrown. For buttons beside a list: each press is a write of its own. */
export function oneAtATime(failed: (error: unknown) => void) {
  const busy = ref(false)

  /** Does nothing while one is under way. */
  async function doing(what: () => Promise<unknown>): Promise<void> {
    if (busy.value) return
    busy.value = true
    try {
      await what()
    } catch (error) {
      failed(error)
    } finally {
      busy.value = false
    }
  }
  return { busy, doing }
}

/**
 * A form. `explain`: a failure in the words of the page.
 * `rest`: the field that stands for whatever the form shows no field of, so that no refusal goes unsaid.
 * `known`: a field of the hub by the form's name for it.
 */
export function formSending(explain: (error: unknown) => string, rest: string, known: (field: string) => string = (field) => field) {
  const wrong = ref<{ field: string; text: string } | null>(null)
  const shown = new Set<string>()
  let key = newKey()

  /** For the template: what is wrong with a field. Asking is what makes it one that the form shows. */
  function errorOf(field: string): string | null {
    shown.add(field)
    return wrong.value?.field === field ? wrong.value.text : null
  }
  function fieldOf(error: unknown): string {
    const field = error instanceof Problem && error.field ? known(error.field) : rest
    return shown.has(field) ? field : rest
  }
  /** What the page sees before anything is sent. */
  const refuse = (text: string, field = rest) => void (wrong.value = { field, text })
  const { busy, doing } = oneAtATime((error) => {
    // Kept where it may have been done all the same: the repeat then gives the first answer. Refused, the next is another write.
    if (error instanceof Problem && error.status >= 400 && error.status < 500 && error.code !== 'in-progress') key = newKey()
    refuse(explain(error), fieldOf(error))
  })

  /** Does nothing while one is under way. What fails stands in `wrong`. `what` sends its write with the key it is given. */
  const sending = (what: (key: string) => Promise<unknown>): Promise<void> =>
    doing(async () => {
      wrong.value = null
      await what(key)
      key = newKey()
    })

  /** The form begins anew: nothing wrong yet, and what it sends is another write. */
  function afresh(): void {
    wrong.value = null
    key = newKey()
  }
  return { busy, wrong, errorOf, refuse, sending, afresh }
}

/** `skills.0` is about the field `skills`. */
export const firstPart = (field: string) => field.split('.')[0]!
