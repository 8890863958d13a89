/** The tree of areas as rows: indented, folded, counted with what lies below. */

export interface AreaNode {
  id: string
  parent_id: string | null
  kind: string
  name: string
  households: number | null
  active: boolean
  lat: number | null
  lon: number | null
  has_boundary: boolean
  residents: number
  officers: { id: string; name: string; phone: string | null }[]
  stations: { id: string; name: string; kind: string }[]
  version: number
}
export interface AreaRow extends AreaNode {
  depth: number
  children: number
  /** Living in it and in everything below. */
  all: number
  open: boolean
}

/**
 * Rows in sight, parents first, children by name. `wanted`: what matches, with the way down to it; everything else is folded away then.
 * An area whose parent is not there stands at the top: it must be seen to be put right.
 */
export function rowsOf(nodes: readonly AreaNode[], folded: ReadonlySet<string>, wanted: string, retired: boolean): AreaRow[] {
  const shown = nodes.filter((one) => retired || one.active)
  const ids = new Set(shown.map((one) => one.id))
  const below = new Map<string | null, AreaNode[]>()
  for (const one of shown) {
    const parent = one.parent_id !== null && ids.has(one.parent_id) ? one.parent_id : null
    below.set(parent, [...(below.get(parent) ?? []), one])
  }
  const text = wanted.trim().toLowerCase()
  const fits = (one: AreaNode) => !text || [one.name, one.id, ...one.officers.map((officer) => officer.name)].some((word) => word.toLowerCase().includes(text))
  const rows: AreaRow[] = []

  function walk(one: AreaNode, depth: number): { all: number; seen: boolean } {
    const at = rows.length
    const children = [...(below.get(one.id) ?? [])].sort((a, b) => a.name.localeCompare(b.name, 'zh') || a.id.localeCompare(b.id))
    const open = text !== '' || !folded.has(one.id)
    const row: AreaRow = { ...one, depth, children: children.length, all: one.residents, open }
    rows.push(row)
    let seen = fits(one)
    for (const child of children) {
      const mark = rows.length
      const found = walk(child, depth + 1)
      row.all += found.all
      if (!open || !found.seen) rows.length = mark
      if (found.seen) seen = true
    }
    if (!seen) rows.length = at
    return { all: row.all, seen }
  }
  for (const root of [...(below.get(null) ?? [])].sort((a, b) => a.name.localeCompare(b.name, 'zh') || a.id.localeCompare(b.id))) walk(root, 0)
  return rows
}
