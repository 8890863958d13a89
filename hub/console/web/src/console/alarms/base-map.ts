/** A base map from elsewhere, and the datum it is drawn in. Positions stay WGS-84; only the screen is moved. */
import L from 'leaflet'
import { gcj02ToWgs84, wgs84ToGcj02 } from '../../core/gcj02.ts'
import type { Site } from '../../core/types.ts'

const mercator = L.Projection.SphericalMercator

/** Web Mercator of tiles drawn in GCJ-02: what is given and asked for stays WGS-84. */
export const GCJ02: L.CRS = L.extend({}, L.CRS.EPSG3857, {
  projection: L.extend({}, mercator, {
    project: (at: L.LatLng) => {
      const [lat, lon] = wgs84ToGcj02(at.lat, at.lng)
      return mercator.project(L.latLng(lat, lon))
    },
    unproject: (point: L.Point) => {
      const shifted = mercator.unproject(point)
      const [lat, lon] = gcj02ToWgs84(shifted.lat, shifted.lng)
      return L.latLng(lat, lon)
    },
  }),
}) as L.CRS

export function baseLayer(tiles: NonNullable<Site['tiles']>): L.TileLayer {
  return L.tileLayer(tiles.url, { subdomains: tiles.subdomains, maxZoom: 19, maxNativeZoom: tiles.max_zoom, className: 'base-tiles' })
}
