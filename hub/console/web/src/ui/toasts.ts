import { shallowRef } from 'vue'

export interface Toast {
  id: number
  kind: 'ok' | 'bad' | 'note'
  text: string
}

export const toasts = shallowRef<Toast[]>([])
let last = 0

/** Shows a line at the bottom. Errors stay longer, because they must be read. */
export function toast(text: string, kind: Toast['kind'] = 'ok', ms = kind === 'bad' ? 9000 : 4000): void {
  const id = ++last
  toasts.value = [...toasts.value.slice(-3), { id, kind, text }]
  setTimeout(() => dismiss(id), ms)
}

export function dismiss(id: number): void {
  toasts.value = toasts.value.filter((one) => one.id !== id)
}
