/** The tones themselves: a few oscillators, no sound files. */
import type { Priority } from './types.ts'

/** Pulses by level, and after how long they repeat until claimed. Level four is silent. */
export const PULSES: Record<Priority, { count: number; everyMs: number; hz: number }> = {
  critical: { count: 5, everyMs: 4000, hz: 880 },
  high: { count: 3, everyMs: 10000, hz: 660 },
  medium: { count: 1, everyMs: 30000, hz: 520 },
  low: { count: 0, everyMs: 0, hz: 0 },
}

export class Player {
  protected context: AudioContext | null = null

  get ready(): boolean {
    return this.context?.state === 'running'
  }

  /** Must run inside a click or key press: browsers allow sound only then. */
  async unlock(): Promise<boolean> {
    this.context ??= new AudioContext()
    await Promise.race([this.context.resume(), new Promise((done) => setTimeout(done, 800))])
    return this.ready
  }

  play(priority: Priority): void {
    const context = this.context
    if (!context || context.state !== 'running') return
    const { count, hz } = PULSES[priority]
    for (let i = 0; i < count; i++) {
      const from = context.currentTime + 0.02 + i * 0.28
      const tone = context.createOscillator()
      const gain = context.createGain()
      tone.type = 'triangle'
      tone.frequency.value = hz
      gain.gain.setValueAtTime(0, from)
      gain.gain.linearRampToValueAtTime(0.5, from + 0.015)
      gain.gain.setValueAtTime(0.5, from + 0.13)
      gain.gain.linearRampToValueAtTime(0, from + 0.17)
      tone.connect(gain).connect(context.destination)
      tone.start(from)
      tone.stop(from + 0.2)
    }
  }
}
