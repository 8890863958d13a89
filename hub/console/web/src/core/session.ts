/** Who sits here: sign-in, language, theme, duty. */
import { computed, shallowRef } from 'vue'
import { setZone, syncClock } from './clock.ts'
import { Problem, call, get, onUnauthorised } from './http.ts'
import { chooseLanguage, language, setLanguage } from './i18n.ts'
import { remember, remembered } from './settings.ts'
import { chooseTheme, setTheme } from './theme.ts'
import type { Language, Session, Theme } from './types.ts'

export const session = shallowRef<Session | null>(null)
/** `asking` until the first answer; `signed_out` shows the sign-in layer over whatever the page holds. */
export const sessionState = shallowRef<'asking' | 'signed_in' | 'signed_out' | 'unreachable'>('asking')
export const me = computed(() => session.value?.user ?? null)
/** Who may take and end alarms; others at the desk look and write notes. */
export const mayHandle = computed(() => ['operator', 'supervisor', 'admin'].includes(me.value?.role ?? ''))
export const maySupervise = computed(() => ['supervisor', 'admin'].includes(me.value?.role ?? ''))

/** `?lang=` is a choice like any other: it is kept for the person. */
const askedLanguage = new URLSearchParams(location.search).get('lang')
let languageTouched = askedLanguage === 'zh' || askedLanguage === 'en'
const listeners: ((session: Session) => void)[] = []

/** Told after each sign-in, also when another person signs in over the same page. */
export function onSignedIn(listener: (session: Session) => void): void {
  listeners.push(listener)
}

function take(found: Session, sentAt: number): void {
  syncClock(found.server_time, sentAt, Date.now())
  setZone(found.time_zone)
  session.value = found
  sessionState.value = 'signed_in'
  if (!languageTouched) setLanguage(chooseLanguage('', found.user.language, remembered('language')))
  else if (language.value !== found.user.language) {
    remember('language', language.value)
    // A failure leaves the page in the language asked for; the person's record follows another time.
    patchSession({ language: language.value }).catch(() => {})
  }
  setTheme(chooseTheme(location.search, found.user.theme), false)
  languageTouched = false
  for (const listener of listeners) listener(found)
}

export async function askSession(): Promise<void> {
  const sentAt = Date.now()
  try {
    take(await get<Session>('/session', { timeoutMs: 8000 }), sentAt)
  } catch (error) {
    if (error instanceof Problem && error.status === 401) sessionState.value = 'signed_out'
    else if (sessionState.value !== 'signed_in') {
      sessionState.value = 'unreachable'
      setTimeout(() => void askSession(), 2000)
    }
  }
}

export async function signIn(username: string, password: string, bound = false): Promise<void> {
  const sentAt = Date.now()
  take(await call<Session>('POST', '/session', { body: { username, password, bound } }), sentAt)
}

export async function signOut(): Promise<void> {
  await call('DELETE', '/session')
  // A full load drops everything about residents that this page held.
  location.reload()
}

async function patchSession(change: { language?: Language; theme?: Theme; on_duty?: boolean }): Promise<void> {
  const found = await call<Session | null>('PATCH', '/session', { body: change })
  const known = session.value
  if (found?.user) session.value = found
  else if (known) session.value = { ...known, on_duty: change.on_duty ?? known.on_duty }
}

export async function pickLanguage(next: Language): Promise<void> {
  setLanguage(next)
  remember('language', next)
  if (sessionState.value === 'signed_in') await patchSession({ language: next })
  else languageTouched = true
}

export async function pickTheme(next: Theme): Promise<void> {
  setTheme(next)
  if (sessionState.value === 'signed_in') await patchSession({ theme: next })
}

export async function setDuty(onDuty: boolean): Promise<void> {
  await patchSession({ on_duty: onDuty })
}

onUnauthorised(() => {
  sessionState.value = 'signed_out'
})
