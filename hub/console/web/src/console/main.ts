import { createApp } from 'vue'
import '../styles/tokens.css'
import '../styles/base.css'
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
askEarly()
createApp(ConsoleApp).mount('#app')
