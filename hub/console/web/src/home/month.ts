/** What a family may say of a service, by what the books have of it. */

export interface Claim {
  id: string
  order_id: string
  status: 'claimed' | 'held' | 'refused' | 'disputed' | 'accepted' | 'closed'
  paid_fen: number
  reasons: { zh: string; en: string }[]
  shares: { payer: string; fen: number }[]
  dispute: { side: string } | null
}

export interface Dispute {
  side: string
  decision: 'paid' | 'refused' | null
  decision_reason: string | null
  raised_at: string
}

/** These stand in the ledger. */
export const PAID: ReadonlySet<Claim['status']> = new Set(['claimed', 'accepted', 'disputed', 'closed'])

/** `dispute` what was paid, once; `complain` of what is not settled yet; null where there is nothing left to say or nothing was paid. */
export function may(claim: Claim | undefined, own: Dispute | undefined): 'dispute' | 'complain' | null {
  if (own) return null
  if (!claim || claim.status === 'held') return 'complain'
  return PAID.has(claim.status) && claim.paid_fen > 0 ? 'dispute' : null
}

export function monthAfter(month: string): string {
  const [year, number] = month.split('-').map(Number) as [number, number]
  return number === 12 ? `${year + 1}-01` : `${year}-${String(number + 1).padStart(2, '0')}`
}

/** `count` months, `last` and those before it. */
export function monthsBack(last: string, count: number): string[] {
  const [year, number] = last.split('-').map(Number) as [number, number]
  return Array.from({ length: count }, (_, back) => {
    const whole = year * 12 + number - 1 - back
    return `${Math.floor(whole / 12)}-${String((whole % 12) + 1).padStart(2, '0')}`
  })
}
