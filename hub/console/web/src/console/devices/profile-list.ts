/** Every device profile in one answer: which families there are, and which profile a device may be given. */
import { computed, ref, shallowRef } from 'vue'
import { get } from '../../core/http.ts'
import { language } from '../../core/i18n.ts'
import type { Page } from '../../core/types.ts'
import { explain } from '../actions.ts'
import type { Profile } from './types.ts'

export function useProfiles() {
  const profiles = shallowRef<Profile[]>([])
  const problem = ref('')
  async function load() {
    try {
      profiles.value = (await get<Page<Profile>>('/device-profiles?limit=500')).items
      problem.value = ''
    } catch (error) {
      problem.value = explain(error)
    }
  }
  void load()
  const families = computed(() => [...new Set(profiles.value.map((one) => one.family))].sort())
  return { profiles, problem, families, load }
}

export const profileName = (one: Pick<Profile, 'zh' | 'en'>) => (language.value === 'zh' ? one.zh : one.en)
