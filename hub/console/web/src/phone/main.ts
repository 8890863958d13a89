import { createApp } from 'vue'
import '../styles/tokens.css'
import '../styles/base.css'
import './phone.css'
import { startTicking } from '../core/clock.ts'
import { addMessages, chooseLanguage, setLanguage } from '../core/i18n.ts'
import { remembered } from '../core/settings.ts'
import { chooseTheme, setTheme } from '../core/theme.ts'
import phoneEn from '../locales/phone.en.json'
import phoneZh from '../locales/phone.zh.json'
import sharedEn from '../locales/shared.en.json'
import sharedZh from '../locales/shared.zh.json'
import PhoneApp from './PhoneApp.vue'

addMessages(sharedZh, sharedEn)
addMessages(phoneZh, phoneEn)
setLanguage(chooseLanguage(location.search, null, remembered('language')))
setTheme(chooseTheme(location.search, null), false)
startTicking()
createApp(PhoneApp).mount('#app')
// Where there is no service worker (plain http, some in-app browsers) the page works the same, only not from a cold start offline.
if ('serviceWorker' in navigator) navigator.serviceWorker.register('/m/sw.js', { scope: '/m/' }).catch(() => {})
