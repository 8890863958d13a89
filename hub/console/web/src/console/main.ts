import { createApp } from 'vue'
import '../styles/tokens.css'
import '../styles/base.css'
import '../styles/forms.css'
import '../styles/pages.css'
import { startTicking } from '../core/clock.ts'
import { addMessages, addPairs, chooseLanguage, setLanguage } from '../core/i18n.ts'
import { remembered } from '../core/settings.ts'
import { chooseTheme, setTheme, watchSystemTheme } from '../core/theme.ts'
import consoleEn from '../locales/console.en.json'
import consoleZh from '../locales/console.zh.json'
import nav from '../locales/nav.json'
import sharedEn from '../locales/shared.en.json'
import sharedZh from '../locales/shared.zh.json'
import { paths } from '../ui/icons.ts'
import ConsoleApp from './ConsoleApp.vue'
import { asked, page } from './route.ts'
import { CONSOLE_ICONS } from './icons.ts'
import { askEarly } from './store.ts'

Object.assign(paths, CONSOLE_ICONS)

addMessages(sharedZh, sharedEn)
addMessages(consoleZh, consoleEn)
addPairs('nav', nav)
setLanguage(chooseLanguage(location.search, null, remembered('language')))
setTheme(chooseTheme(location.search, null), false)
watchSystemTheme()
startTicking()
// A wall screen brings its token in the address, where no server and no log sees it; it gets the wall and nothing else.
const token = page.value === 'wall' ? asked.value.get('token') : null
if (token) void import('./wall/KioskApp.vue').then(({ default: KioskApp }) => createApp(KioskApp, { token }).mount('#app'))
else {
  askEarly()
  createApp(ConsoleApp).mount('#app')
}
