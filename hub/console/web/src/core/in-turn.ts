/**
 * Fetching in turn. Whoever asks while an answer is under way gets the one after it: the answer under way was made before,
 * and may not know yet what the asker has just done. However many ask meanwhile, one more request serves them all.
 */
export function inTurn(fetch: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null
  let following: Promise<void> | null = null

  function run(): Promise<void> {
    following = null
    running = fetch().finally(() => (running = null))
    return running
  }

  return () => following ?? (running ? (following = running.then(run, run)) : run())
}
