/** Ten seconds to take back what can be taken back. Only the latest: a row of undos would be a second way of working. */
import { t } from '../core/i18n.ts'
import { dismiss, toast } from '../ui/toasts.ts'

export const UNDO_MS = 10_000
let offered: { toast: number; run: () => void } | null = null

/** Says that it is done, and offers to take it back. */
export function offerUndo(done: string, run: () => unknown): void {
  withdraw()
  const go = () => {
    withdraw()
    run()
  }
  const id = toast(done, 'ok', UNDO_MS, { text: t('undo.go'), key: 'Z', run: go })
  offered = { toast: id, run: go }
  setTimeout(() => offered?.toast === id && (offered = null), UNDO_MS)
}

export function withdraw(): void {
  if (offered) dismiss(offered.toast)
  offered = null
}

/** The key's part; false where there is nothing to take back. */
export function undoLast(): boolean {
  if (!offered) return false
  offered.run()
  return true
}
