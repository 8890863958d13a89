import late from '../locales/phone-late.en.json'
import phone from '../locales/phone.en.json'
import position from '../locales/position.en.json'
import round from '../locales/round.en.json'
import shared from '../locales/shared.en.json'
import visit from '../locales/visit.en.json'

export default { ...shared, ...phone, ...late, ...position, ...round, ...visit }
