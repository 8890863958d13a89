/** Leaflet paths in the shapes of the levels, drawn on the map's one canvas. */
import L from 'leaflet'
import type { Priority } from '../../core/types.ts'

export interface ShapeOptions extends L.CircleMarkerOptions {
  level: Priority
}

// Leaflet's canvas draws each path by a private method of the renderer; this is the extension point its own circle uses.
interface CanvasInside {
  _drawing: boolean
  _ctx: CanvasRenderingContext2D
  _fillStroke(ctx: CanvasRenderingContext2D, layer: L.Layer): void
}
interface PathInside {
  _renderer: CanvasInside
  _point: L.Point
  _radius: number
  _empty(): boolean
}

const CORNERS: Record<Priority, [number, number][]> = {
  critical: [
    [0, -1.2],
    [1.2, 0],
    [0, 1.2],
    [-1.2, 0],
  ],
  high: [
    [0, -1.15],
    [1.15, 0.9],
    [-1.15, 0.9],
  ],
  medium: [
    [-0.9, -0.9],
    [0.9, -0.9],
    [0.9, 0.9],
    [-0.9, 0.9],
  ],
  low: [],
}

export class ShapeMarker extends L.CircleMarker {
  constructor(at: L.LatLngExpression, options: ShapeOptions) {
    super(at, options)
  }

  _updatePath(): void {
    const inside = this as unknown as PathInside
    const { _ctx: ctx, _drawing: drawing } = inside._renderer
    if (!drawing || inside._empty()) return
    const { x, y } = inside._point
    const r = inside._radius
    const corners = CORNERS[(this.options as ShapeOptions).level]
    ctx.beginPath()
    if (corners.length === 0) ctx.arc(x, y, r, 0, Math.PI * 2)
    corners.forEach(([dx, dy], i) => (i ? ctx.lineTo(x + dx * r, y + dy * r) : ctx.moveTo(x + dx * r, y + dy * r)))
    ctx.closePath()
    inside._renderer._fillStroke(ctx, this)
  }
}

/** The colours of the theme in force, read from the tokens. */
export function tokens() {
  const css = getComputedStyle(document.documentElement)
  const get = (name: string) => css.getPropertyValue(name).trim()
  return {
    mapLand: get('--map-land'),
    mapLand2: get('--map-land-2'),
    mapLine: get('--map-line'),
    muted: get('--muted'),
    text: get('--text'),
    surface: get('--surface'),
    accent: get('--accent'),
    critical: get('--p1'),
    high: get('--p2'),
    medium: get('--p3'),
    low: get('--p4'),
  }
}
