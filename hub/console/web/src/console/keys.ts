/** Single-letter keys. Off while typing, while a dialog is open, and when switched off (WCAG 2.1.4). */
import { onBeforeUnmount, onMounted, shallowReactive, shallowRef } from 'vue'
import { remember, remembered } from '../core/settings.ts'

export const keysOn = shallowRef(remembered('keys') !== 'off')

export function setKeysOn(on: boolean): void {
  keysOn.value = on
  remember('keys', on ? 'on' : 'off')
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
}

/** Keys that something on the page listens to now: the footer promises no other. */
export const heardKeys = shallowReactive(new Map<string, number>())

export type KeyMap = Record<string, (event: KeyboardEvent) => void>

/** `keys` maps `event.key` (letters in lower case) to what it does, while the component is on the page. */
export function useKeys(keys: () => KeyMap): void {
  const onKey = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return
    if (isTyping(event.target) || document.querySelector('dialog[open]')) return
    const name = event.key.length === 1 ? event.key.toLowerCase() : event.key
    if (name.length === 1 && !keysOn.value) return
    // Enter and Space belong to the button that has the focus.
    const run = keys()[name]
    if (!run) return
    event.preventDefault()
    run(event)
  }
  let names: string[] = []
  const count = (by: number) => names.forEach((name) => heardKeys.set(name, (heardKeys.get(name) ?? 0) + by))
  onMounted(() => {
    names = Object.keys(keys())
    count(1)
    addEventListener('keydown', onKey)
  })
  onBeforeUnmount(() => {
    count(-1)
    removeEventListener('keydown', onKey)
  })
}
