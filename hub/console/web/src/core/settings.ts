/** What this browser remembers. Storage may be forbidden (private window): then nothing is remembered and nothing breaks. */
export function remembered(name: string): string | null {
  try {
    return localStorage.getItem(`hub.${name}`)
  } catch {
    return null
  }
}

export function remember(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`hub.${name}`)
    else localStorage.setItem(`hub.${name}`, value)
  } catch {
    // forbidden: the setting lasts as long as the page
  }
}
