/** The words of what comes late. English is in `english.ts`, all of it. */
import { addMessages } from '../core/i18n.ts'
import words from '../locales/phone-late.zh.json'
import position from '../locales/position.zh.json'

addMessages({ ...words, ...position }, {})
