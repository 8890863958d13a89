/** What the first paint does not need. It is fetched as soon as the page stands, so that it is there when the signal is gone. */
import { type Component, h, shallowRef } from 'vue'

const parts = {
  ring: () => import('./RingSheet.vue'),
  signIn: () => import('../ui/SignInForm.vue'),
  step: () => import('./StepSheet.vue'),
  visit: () => import('./VisitSheet.vue'),
  shifts: () => import('./ShiftList.vue'),
  care: () => import('./CareTab.vue'),
  mine: () => import('./MineTab.vue'),
  round: () => import('./MealRound.vue'),
  route: () => import('./RouteCard.vue'),
  claim: () => import('./ClaimPage.vue'),
  way: () => import('./UnderWay.vue'),
  place: () => import('./TaskPlace.vue'),
  photo: () => import('./photo.ts'),
}

/** A component that is there when it has come. Smaller than Vue's own, which can also hydrate and time out. */
function late<T extends Component>(load: () => Promise<{ default: T }>): T {
  return {
    inheritAttrs: false,
    setup(_: unknown, { attrs }: { attrs: Record<string, unknown> }) {
      const found = shallowRef<T | null>(null)
      // No signal and nothing kept: asked for again until it comes.
      const fetch = () => void load().then((part) => (found.value = part.default), () => setTimeout(fetch, 3000))
      fetch()
      return () => found.value && h(found.value as Component, attrs)
    },
  } as unknown as T
}

export const RingSheet = late(parts.ring)
export const SignInForm = late(parts.signIn)
export const StepSheet = late(parts.step)
export const VisitSheet = late(parts.visit)
export const ShiftList = late(parts.shifts)
export const CareTab = late(parts.care)
export const MineTab = late(parts.mine)
export const MealRound = late(parts.round)
export const RouteCard = late(parts.route)
export const ClaimPage = late(parts.claim)
export const UnderWay = late(parts.way)
export const TaskPlace = late(parts.place)
export const shrunk = async (file: Blob) => (await parts.photo()).shrink(file)

export function fetchLate(): void {
  setTimeout(() => void Promise.allSettled(Object.values(parts).map((load) => load())), 300)
}
