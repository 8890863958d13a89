/** A QR code as the path of an SVG, one unit a module; error correction M: a corner may be torn off. */
import qrcode from 'qrcode-generator'

export function qrPath(text: string): { d: string; size: number } {
  const code = qrcode(0, 'M')
  code.addData(text)
  code.make()
  const size = code.getModuleCount()
  const d: string[] = []
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) if (code.isDark(row, column)) d.push(`M${column} ${row}h1v1h-1z`)
  }
  return { d: d.join(''), size }
}
