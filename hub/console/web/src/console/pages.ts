/**
 * Every page of the console, in the order of the navigation. A new page is one entry here and its name in `locales/nav.json`;
 * the page itself, its parts and its words (`addMessages`) stay in a folder of their own.
 */
import type { Component } from 'vue'

export interface Place {
  /** Only these roles are shown the way to it; without: everybody at the desk. The hub decides what they may do there. */
  roles?: readonly string[]
}

interface Page extends Place {
  /** Fetched when somebody opens it; null: it is in the first load. */
  load: (() => Promise<{ default: Component }>) | null
  /** A tab beside its parent's instead of a place in the header. */
  under?: string
  /** A place nobody is led to from the header or the tabs. */
  aside?: true
  /** The tabs within the page, by the first piece of its address (`#/settings/users`); the first one is the page itself. */
  parts?: Record<string, Place>
}

const KEEPERS = ['coordinator', 'supervisor', 'admin'] as const
const SUPERVISORS = ['supervisor', 'admin'] as const

const pages = {
  alarms: { load: null },
  orders: { load: () => import('./pages/OrdersPage.vue'), parts: { list: {} } },
  residents: { load: () => import('./pages/ResidentsPage.vue'), parts: { list: {} } },
  consents: { load: () => import('./consents/ConsentsPage.vue'), under: 'residents' },
  devices: { load: () => import('./pages/DevicesPage.vue'), parts: { list: {}, work: {} } },
  onboarding: { load: () => import('./onboarding/OnboardingPage.vue'), under: 'devices', roles: KEEPERS },
  handover: { load: () => import('./handover/HandoverPage.vue') },
  rota: { load: () => import('./rota/RotaPage.vue'), parts: { week: {}, patterns: { roles: KEEPERS }, swaps: {} } },
  supervision: { load: () => import('./pages/SupervisionPage.vue'), roles: ['operator', ...SUPERVISORS], parts: { review: {}, kpi: {} } },
  load: { load: () => import('./load/LoadPage.vue'), under: 'supervision' },
  settings: { load: () => import('./settings/SettingsPage.vue'), parts: { site: {}, users: { roles: ['admin'] }, screens: { roles: SUPERVISORS }, audit: { roles: SUPERVISORS } } },
  notify: { load: () => import('./notify/NotifyPage.vue'), under: 'settings' },
  plans: { load: () => import('./plans/PlansPage.vue'), under: 'settings' },
  codes: { load: () => import('./codes/CodesPage.vue'), under: 'settings', roles: KEEPERS },
  wall: { load: () => import('./wall/WallPage.vue'), aside: true },
} satisfies Record<string, Page>

export type PageName = keyof typeof pages
export const PAGES: Record<PageName, Page> = pages
const NAMES = Object.keys(pages) as PageName[]

const open = (place: Place, role: string | undefined) => !place.roles || place.roles.includes(role ?? '')

export function isPage(name: string | undefined): name is PageName {
  return name !== undefined && Object.hasOwn(pages, name)
}

/** The page of the header under which this one stands. */
export function parentOf(name: PageName): PageName {
  const under = PAGES[name].under
  return isPage(under) ? under : name
}

/** What the header offers. Where somebody stands already is always shown. */
export function headerPages(role: string | undefined, current: PageName): PageName[] {
  return NAMES.filter((name) => !PAGES[name].under && !PAGES[name].aside && (open(PAGES[name], role) || name === parentOf(current)))
}

export interface Tab {
  /** Key of its name: `nav.devices.work`. */
  title: string
  href: string
  current: boolean
}

/** The tabs beside `current`: the parts of its parent, then the pages under it. `part` is the first piece of the address. */
export function tabsOf(current: PageName, part: string | null, role: string | undefined): Tab[] {
  const parent = parentOf(current)
  const parts = Object.entries(PAGES[parent].parts ?? {})
  const [first] = parts[0] ?? []
  const within = part !== null && parts.some(([id]) => id === part) ? part : first
  const own: Tab[] = parts.length
    ? parts
        .filter(([id, place]) => open(place, role) || (current === parent && id === within))
        .map(([id]) => ({ title: `nav.${parent}.${id}`, href: id === first ? `#/${parent}` : `#/${parent}/${id}`, current: current === parent && id === within }))
    : [{ title: `nav.${parent}`, href: `#/${parent}`, current: current === parent }]
  const under = NAMES.filter((name) => PAGES[name].under === parent && (open(PAGES[name], role) || name === current))
  return [...own, ...under.map((name) => ({ title: `nav.${name}`, href: `#/${name}`, current: name === current }))]
}
