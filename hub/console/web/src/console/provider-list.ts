/** Who works from outside, whole and in one answer: to be named and chosen from in the lists of other pages. */
import { shallowRef } from 'vue'
import { get } from '../core/http.ts'
import type { Named, Page } from '../core/types.ts'

export async function getProviders<T extends Named = Named>(): Promise<T[]> {
  return (await get<Page<T>>('/providers?limit=500')).items
}

/** Stays empty where they cannot be had: an id then stands for its name, and what is chosen by it is left out or as it was. */
export function useProviders() {
  const providers = shallowRef<Named[]>([])
  getProviders().then(
    (found) => (providers.value = found),
    () => {},
  )
  return providers
}
