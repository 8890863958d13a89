import { createApp, triggerRef, watch } from 'vue'
import '../styles/tokens.css'
import '../styles/base.css'
import './phone.css'
import { startTicking } from '../core/clock.ts'
import { addMessages, chooseLanguage, language, setLanguage } from '../core/i18n.ts'
import { remembered } from '../core/settings.ts'
import { chooseTheme, setTheme } from '../core/theme.ts'
import phoneZh from '../locales/phone.zh.json'
import sharedZh from '../locales/shared.zh.json'
import PhoneApp from './PhoneApp.vue'

addMessages(sharedZh, {})
addMessages(phoneZh, {})

/** English comes when it is asked for: most phones never need it. */
let asked: Promise<void> | null = null
function english(): Promise<void> {
  asked ??= import('./english.ts').then(
    ({ default: words }) => {
      addMessages({}, words)
      triggerRef(language)
    },
    // No signal, nothing kept: Chinese stays, and the next choice tries again.
    () => void (asked = null),
  )
  return asked
}
watch(language, (now) => now === 'en' && void english())

setLanguage(chooseLanguage(location.search, null, remembered('language')))
setTheme(chooseTheme(location.search, null), false)
startTicking()
void (language.value === 'en' ? english() : Promise.resolve()).then(() => createApp(PhoneApp).mount('#app'))
// Where there is no service worker (plain http, some in-app browsers) the page works the same, only not from a cold start offline.
if ('serviceWorker' in navigator) navigator.serviceWorker.register('/m/sw.js', { scope: '/m/' }).catch(() => {})
