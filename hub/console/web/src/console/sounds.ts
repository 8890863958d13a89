/** The sound of the desk: repeats until claimed, needs one click to begin, can be muted for two minutes. */
import { computed, shallowRef, watch } from 'vue'
import { serverNow, tick } from '../core/clock.ts'
import { isUnclaimed } from '../core/order.ts'
import { PULSES, Player } from '../core/player.ts'
import { remember, remembered } from '../core/settings.ts'
import { levelToSound, telephoneRings } from '../core/sound.ts'
import { PRIORITIES, type Priority } from '../core/types.ts'
import { flood, incidents, onLive } from './store.ts'

/** A telephone is not an alarm: two low tones that warble, like an office telephone's, no pulses. */
class DeskPlayer extends Player {
  ring(): void {
    const context = this.context
    if (!context || context.state !== 'running') return
    for (let i = 0; i < 12; i++) {
      const from = context.currentTime + 0.02 + i * 0.07
      const tone = context.createOscillator()
      const gain = context.createGain()
      tone.type = 'sine'
      tone.frequency.value = i % 2 ? 350 : 425
      gain.gain.setValueAtTime(0.3, from)
      gain.gain.linearRampToValueAtTime(0.22, from + 0.07)
      tone.connect(gain).connect(context.destination)
      tone.start(from)
      tone.stop(from + 0.07)
    }
  }
}

const player = new DeskPlayer()
/** A call rings and nobody has answered it. */
export const callWaits = shallowRef(false)
export const ringWanted = shallowRef(remembered('call-ring') !== 'off')

export function setRing(on: boolean): void {
  ringWanted.value = on
  remember('call-ring', on ? 'on' : 'off')
  if (on && player.ready) player.ring()
}

let rungAt = -Infinity
function ring(level: Priority | null): void {
  const now = performance.now()
  if (!callWaits.value || !ringWanted.value || !telephoneRings(level, now - rungAt, now - lastPlayed.at)) return
  rungAt = now
  player.ring()
}
const MUTE_MS = 120_000

export const soundWanted = shallowRef(remembered('sound') !== 'off')
export const soundReady = shallowRef(false)
const muted = shallowRef<ReadonlyMap<string, number>>(new Map())
export const mutedUntil = computed(() => {
  const latest = Math.max(0, ...muted.value.values())
  return latest > tick.value ? latest : null
})

export async function enableSound(): Promise<void> {
  soundWanted.value = true
  remember('sound', 'on')
  soundReady.value = await player.unlock()
  if (soundReady.value) player.play('medium')
}

export function disableSound(): void {
  soundWanted.value = false
  remember('sound', 'off')
}

export function testSound(level: 'critical' | 'high' | 'medium'): void {
  void player.unlock().then((ready) => {
    soundReady.value = ready
    player.play(level)
  })
}

/** Mutes what is unclaimed now; the next alarm sounds. Pressed again, it ends the mute. */
export function toggleMute(): boolean {
  const now = serverNow()
  if (mutedUntil.value) {
    muted.value = new Map()
    return false
  }
  const next = new Map<string, number>()
  for (const incident of incidents.value.values()) if (isUnclaimed(incident, now)) next.set(incident.id, now + MUTE_MS)
  muted.value = next
  return true
}

let lastPlayed = { level: '', at: -Infinity }
let fresh = false

function sound(): void {
  if (!soundWanted.value || !player.ready) return
  const level = levelToSound(incidents.value.values(), muted.value, serverNow(), flood.value)
  ring(level)
  if (!level) {
    lastPlayed = { level: '', at: -Infinity }
    return
  }
  const now = performance.now()
  // The longest pattern takes 1.4 s: a new alarm starts it anew, fifty a second do not.
  if (now - lastPlayed.at < 1500) return
  if (fresh || level !== lastPlayed.level || now - lastPlayed.at >= PULSES[level].everyMs) {
    fresh = false
    lastPlayed = { level, at: now }
    player.play(level)
  }
}

export function startSounds(): void {
  watch([tick, incidents, muted, callWaits], sound)
  onLive((effects) => {
    if (effects.raised.length) fresh = true
    if (effects.realerted.length && soundWanted.value) player.play('critical')
    // There is nothing to claim while the database is away: each one sounds once, as it comes.
    const worst = PRIORITIES.find((level) => effects.provisional.some((one) => one.priority === level))
    if (worst && worst !== 'low' && soundWanted.value) player.play(worst)
    sound()
  })
  // Somebody who wanted sound yesterday gets it back with the first click anywhere.
  const first = () => {
    if (soundWanted.value && !player.ready) void player.unlock().then((ready) => (soundReady.value = ready))
    if (player.ready) {
      removeEventListener('click', first)
      removeEventListener('keydown', first)
    }
  }
  // On the click, not on the press: the banner that goes away must not move what is being clicked.
  addEventListener('click', first)
  addEventListener('keydown', first)
}
