import late from '../locales/phone-late.en.json'
import phone from '../locales/phone.en.json'
import shared from '../locales/shared.en.json'

export default { ...shared, ...phone, ...late }
