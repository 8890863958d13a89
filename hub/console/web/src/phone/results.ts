/** From what a thumb types to what the hub takes: fen, lists, times. Pure. */
export interface ResultField {
  name: string
  zh: string
  en: string
  type: 'text' | 'number' | 'money_fen' | 'time' | 'flag' | 'choice' | 'choices' | 'lines' | 'photo'
  required: boolean
  choices: Record<string, [string, string]> | null
}

export function entered(fields: readonly ResultField[], typed: Record<string, string | boolean>, time: (text: string) => string | null): { results: Record<string, unknown>; wrong: string[] } {
  const results: Record<string, unknown> = {}
  const wrong: string[] = []
  for (const one of fields) {
    if (one.type === 'photo') continue
    const raw = typed[one.name]
    const text = typeof raw === 'string' ? raw.trim() : ''
    if (one.type === 'flag') {
      if (raw === true) results[one.name] = true
      continue
    }
    if (!text) {
      if (one.required) wrong.push(one.name)
      continue
    }
    const value = valueOf(one, text, time)
    if (value === null) wrong.push(one.name)
    else results[one.name] = value
  }
  return { results, wrong }
}

function valueOf(field: ResultField, text: string, time: (text: string) => string | null): unknown {
  if (field.type === 'lines' || field.type === 'choices') {
    return text.split(/[\n、;；]/).map((line) => line.trim()).filter(Boolean)
  }
  if (field.type === 'time') return time(text)
  if (field.type === 'money_fen') return /^\d{1,6}([.。]\d{1,2})?$/.test(text) ? Math.round(Number(text.replace('。', '.')) * 100) : null
  if (field.type === 'number') return /^-?\d{1,6}([.。]\d{1,3})?$/.test(text) ? Number(text.replace('。', '.')) : null
  return text
}
