/** Which action an incident offers now. The server decides in the end; this keeps the buttons honest. Pure. */
import { isLive, isShelved, isToClose } from '../../core/order.ts'
import type { Incident } from '../../core/types.ts'

export const ACTIONS = ['acknowledge', 'assign', 'escalate', 'shelve', 'close', 'transfer', 'release', 'unshelve', 'card', 'note', 'reopen'] as const
export type Action = (typeof ACTIONS)[number]

export const KEYS: Record<Action, string> = { acknowledge: 'A', assign: 'D', escalate: 'E', shelve: 'S', close: 'C', transfer: 'T', release: 'R', unshelve: '', card: 'H', note: 'B', reopen: '' }

export function can(action: Action, incident: Incident, now: number): boolean {
  if (action === 'note') return true
  if (action === 'card') return isLive(incident) && incident.class !== 'technical'
  if (action === 'reopen') return !isLive(incident)
  if (!isLive(incident)) return false
  // A responder may have accepted before anybody at the desk took it.
  if (action === 'acknowledge') return incident.acknowledged_by === null
  if (action === 'transfer') return incident.acknowledged_by !== null
  if (action === 'release') return incident.acknowledged_by !== null
  if (action === 'shelve') return !isShelved(incident, now)
  if (action === 'unshelve') return isShelved(incident, now)
  return true
}

/** The one to press next: take it, send somebody, end it. */
export function nextAction(incident: Incident): Action | null {
  if (!isLive(incident)) return null
  if (isToClose(incident)) return 'close'
  if (incident.acknowledged_by === null) return 'acknowledge'
  const going = incident.assignments.some((a) => ['offered', 'accepted', 'en_route', 'on_scene'].includes(a.state))
  if (incident.class === 'technical' || incident.on_scene) return 'close'
  return going ? null : 'assign'
}
