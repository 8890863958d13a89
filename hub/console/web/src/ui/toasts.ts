import { shallowRef } from 'vue'

export interface ToastAction {
  text: string
  key?: string
  run: () => void
}

export interface Toast {
  id: number
  kind: 'ok' | 'bad' | 'note'
  text: string
  action?: ToastAction
}

export const toasts = shallowRef<Toast[]>([])
let last = 0

/** Shows a line at the bottom. Errors stay longer, because they must be read; what can be undone stays as long as it can. */
export function toast(text: string, kind: Toast['kind'] = 'ok', ms = kind === 'bad' ? 9000 : 4000, action?: ToastAction): number {
  const id = ++last
  toasts.value = [...toasts.value.slice(-3), { id, kind, text, action }]
  setTimeout(() => dismiss(id), ms)
  return id
}

export function dismiss(id: number): void {
  toasts.value = toasts.value.filter((one) => one.id !== id)
}
