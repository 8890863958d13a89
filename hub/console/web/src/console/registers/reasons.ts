/** Why a row of a file is bad, in the reader's words. What the hub says and nobody worded stays as it is said. */
import { t, word } from '../../core/i18n.ts'

/** [what the hub says, the key of its wording]; a group of the pattern is a place of the wording. */
const PATTERNS: [RegExp, string][] = [
  [/^is missing$/, 'missing'],
  [/^is missing; both or none$/, 'both'],
  [/^'(?<said>.*)' is not a (?:whole )?number$/, 'number'],
  [/^'(?<said>.*)' is not a day such as/, 'day'],
  [/^'(?<said>.*)' is none of (?<known>.*)$/, 'choice'],
  [/^'(?<said>.*)' is neither yes nor no/, 'truth'],
  [/^'(?<said>.*)' is no day of the week/, 'weekday'],
  [/^'(?<said>.*)' is no time of day/, 'clock'],
  [/^there is no skill '(?<said>.*)'/, 'skill'],
  [/^there is no (?:\w+) (?<said>.*)$/, 'gone'],
  [/^18 characters of an ID card/, 'papers'],
  [/^its check character is wrong/, 'check'],
  [/^its digits 7 to 14/, 'birthday'],
  [/^String should match pattern/, 'characters'],
  [/(?<said>polygon \d+, ring \d+|ring \d+): it is not closed/, 'ring_open'],
  [/(?<said>polygon \d+, ring \d+|ring \d+): it crosses itself near (?<at>[-\d.]+, [-\d.]+)/, 'ring_crosses'],
  [/(?<said>polygon \d+, ring \d+|ring \d+): it encloses nothing/, 'ring_empty'],
  [/(?<said>polygon \d+, ring \d+|ring \d+): \d+ positions; a ring has four/, 'ring_few'],
  [/would lie below itself/, 'below_itself'],
]

function one(part: string): string {
  const twice = /^id (?<said>.*) is in (?<file>.*), line (?<line>\d+) already$/.exec(part)
  if (twice) return t('import.why.twice', twice.groups)
  const other = /^this is about (\w+):/.exec(part)
  if (other) return t('import.why.other_page')
  const [, field, rest] = /^([^:]+): (.*)$/s.exec(part) ?? [null, '', part]
  for (const [pattern, key] of PATTERNS) {
    const found = pattern.exec(rest ?? '')
    if (found) return t('import.why.of', { field: word('register.field', field), why: t(`import.why.${key}`, found.groups) })
  }
  return part
}

/** The reasons of one row, which the hub joins by semicolons. */
export const reasonWords = (reason: string): string => reason.split(/; (?=[^;]*(?:: |^id ))/).map(one).join(t('import.why.and'))
