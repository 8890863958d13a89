/** One page for people at home, `/home`, and for whoever scanned a code, `/q/CODE`: each loads only its own part. */
import { createApp } from 'vue'
import '../styles/tokens.css'
import '../styles/base.css'
import '../phone/phone.css'
import './home.css'
import { startTicking } from '../core/clock.ts'
import { addMessages, chooseLanguage, setLanguage } from '../core/i18n.ts'
import { remembered } from '../core/settings.ts'
import { chooseTheme, setTheme } from '../core/theme.ts'
import homeEn from '../locales/home.en.json'
import homeZh from '../locales/home.zh.json'
import sharedEn from '../locales/shared.en.json'
import sharedZh from '../locales/shared.zh.json'

addMessages(sharedZh, sharedEn)
addMessages(homeZh, homeEn)
setLanguage(chooseLanguage(location.search, null, remembered('language')))
setTheme(chooseTheme(location.search, null), false)
startTicking()
const page = location.pathname.startsWith('/q/') ? import('./PublicPage.vue') : import('./HomePage.vue')
void page.then((found) => createApp(found.default).mount('#app'))
