/** The tree of areas as a list to choose from: down to the grid, which is what an operator can name. Pure. */
import type { Area } from '../core/types.ts'

const KINDS = ['district', 'street', 'community', 'grid']
/** More than a screen of rows nobody reads: whoever wants another one types. */
const LISTED = 60

export interface Place {
  id: string
  name: string
  kind: string
  depth: number
  /** Names of what it lies in, from the top; tells two of one name apart. */
  above: string
}

/** Depth first, siblings by name. An area whose parent is unknown stands at the top, so that none is lost; retired ones are left out. */
export function treeOf(areas: readonly Area[]): Place[] {
  const known = new Set(areas.map((one) => one.id))
  const below = new Map<string | null, Area[]>()
  for (const one of areas) {
    const parent = one.parent_id !== null && known.has(one.parent_id) ? one.parent_id : null
    below.set(parent, [...(below.get(parent) ?? []), one])
  }
  const out: Place[] = []
  const walk = (parent: string | null, depth: number, above: readonly string[]) => {
    for (const one of [...(below.get(parent) ?? [])].sort((a, b) => a.name.localeCompare(b.name, 'zh', { numeric: true }))) {
      if (!KINDS.includes(one.kind) || one.active === false) continue
      out.push({ id: one.id, name: one.name, kind: one.kind, depth, above: above.join(' / ') })
      walk(one.id, depth + 1, [...above, one.name])
    }
  }
  walk(null, 0, [])
  return out
}

/** What fits the typed text, by name or by what it lies in; nothing typed: all, or without the grids where they are many. */
export function placesFor(places: readonly Place[], text: string): { places: Place[]; more: boolean } {
  const wanted = text.trim().toLowerCase()
  const all = !wanted ? (places.length <= LISTED ? places : places.filter((one) => one.kind !== 'grid')) : places.filter((one) => one.name.toLowerCase().includes(wanted) || `${one.above} / ${one.name}`.toLowerCase().includes(wanted))
  return { places: all.slice(0, LISTED), more: all.length > LISTED }
}
