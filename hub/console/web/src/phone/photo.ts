/** A picture of at most 200 kB from whatever the camera gives: drawn anew, so that nothing of the camera's notes (place, owner) goes along. */
const MOST = 200_000
const EDGES = [1600, 1280, 960, 640]

async function jpeg(canvas: HTMLCanvasElement, quality: number): Promise<Blob | null> {
  return new Promise((done) => canvas.toBlob(done, 'image/jpeg', quality))
}

/** Base64 of the JPEG. An Error where the file is no picture. */
export async function shrink(file: Blob): Promise<string> {
  const picture = await createImageBitmap(file)
  try {
    for (const edge of EDGES) {
      const scale = Math.min(1, edge / Math.max(picture.width, picture.height))
      const canvas = document.createElement('canvas')
      canvas.width = Math.max(1, Math.round(picture.width * scale))
      canvas.height = Math.max(1, Math.round(picture.height * scale))
      canvas.getContext('2d')?.drawImage(picture, 0, 0, canvas.width, canvas.height)
      for (const quality of [0.8, 0.6, 0.45]) {
        const blob = await jpeg(canvas, quality)
        if (blob && blob.size <= MOST) return await base64(blob)
      }
    }
  } finally {
    picture.close()
  }
  throw new Error('too large')
}

async function base64(blob: Blob): Promise<string> {
  const bytes = new Uint8Array(await blob.arrayBuffer())
  let text = ''
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192))
  return btoa(text)
}
