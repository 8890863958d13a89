/**
 * Every page of the console, in the order of the navigation. A new page is one entry here and its name in `locales/nav.json`;
 * the page itself, its parts and its words (`addMessages`) stay in a folder of their own.
 */
import type { Component } from 'vue'

export interface Place {
  /** Only these roles are shown the way to it; without: everybody at the desk. The hub decides what they may do there. */
  roles?: readonly string[]
  /** The district's own: accounts of a provider are not shown the way to it. */
  district?: true
}

interface Page extends Place {
  /** Fetched when somebody opens it; null: it is in the first load. */
  load: (() => Promise<{ default: Component }>) | null
  /** A tab beside its parent's instead of a place in the header. */
  under?: string
  /** Accounts of a provider are shown the way to it; without: it is the district's own. */
  provider?: true
  /** A place nobody is led to from the header or the tabs. */
  aside?: true
  /** The tabs within the page, by the first piece of its address (`#/settings/users`); the first one is the page itself. */
  parts?: Record<string, Place>
}

const KEEPERS = ['coordinator', 'supervisor', 'admin'] as const
const SUPERVISORS = ['supervisor', 'admin'] as const

const pages = {
  alarms: { load: null },
  orders: { provider: true, load: () => import('./orders/OrdersPage.vue'), parts: { board: {}, day: {}, map: {}, plan: { district: true } } },
  checks: { load: () => import('./checks/ChecksPage.vue'), under: 'orders', roles: KEEPERS },
  meals: { provider: true, load: () => import('./meals/MealsPage.vue'), parts: { day: {}, menus: {}, desk: { district: true } } },
  care: { load: () => import('./care/CarePlansPage.vue'), under: 'orders' },
  returns: { load: () => import('./returns/ReturnsPage.vue'), under: 'orders' },
  residents: { provider: true, load: () => import('./pages/ResidentsPage.vue'), parts: { list: {} } },
  contacts: { load: () => import('./contacts/ContactsPage.vue'), under: 'residents' },
  consents: { load: () => import('./consents/ConsentsPage.vue'), under: 'residents' },
  programmes: { load: () => import('./programmes/ProgrammesPage.vue'), under: 'residents' },
  medical: { load: () => import('./medical/MedicalPage.vue'), under: 'residents' },
  devices: { load: () => import('./pages/DevicesPage.vue'), parts: { list: {}, work: {} } },
  onboarding: { load: () => import('./onboarding/OnboardingPage.vue'), under: 'devices', roles: KEEPERS },
  profiles: { load: () => import('./profiles/ProfilesPage.vue'), under: 'devices', roles: KEEPERS },
  quarantine: { load: () => import('./quarantine/QuarantinePage.vue'), under: 'devices', roles: SUPERVISORS },
  handover: { load: () => import('./handover/HandoverPage.vue') },
  rota: { load: () => import('./rota/RotaPage.vue'), parts: { week: {}, cover: {}, patterns: { roles: KEEPERS }, swaps: {}, holidays: {} } },
  settlement: { load: () => import('./settlement/SettlementPage.vue'), roles: KEEPERS, provider: true, parts: { month: {}, disputes: {}, prices: {}, hours: {} } },
  supervision: { load: () => import('./pages/SupervisionPage.vue'), roles: ['operator', ...SUPERVISORS], parts: { review: {}, kpi: {} } },
  services: { provider: true, load: () => import('./kpi/ServicesPage.vue'), under: 'supervision', roles: KEEPERS },
  load: { load: () => import('./load/LoadPage.vue'), under: 'supervision' },
  settings: { load: () => import('./settings/SettingsPage.vue'), parts: { site: {}, users: { roles: ['admin'] }, screens: { roles: SUPERVISORS }, audit: { roles: SUPERVISORS } } },
  staff: { load: () => import('./staff/StaffPage.vue'), under: 'settings', roles: KEEPERS },
  providers: { load: () => import('./providers/ProvidersPage.vue'), under: 'settings', roles: SUPERVISORS },
  stations: { load: () => import('./stations/StationsPage.vue'), under: 'settings', roles: KEEPERS },
  areas: { load: () => import('./areas/AreasPage.vue'), under: 'settings', roles: KEEPERS },
  crews: { load: () => import('./crews/CrewsPage.vue'), under: 'settings', roles: KEEPERS },
  notify: { load: () => import('./notify/NotifyPage.vue'), under: 'settings' },
  plans: { load: () => import('./plans/PlansPage.vue'), under: 'settings' },
  kinds: { load: () => import('./kinds/KindsPage.vue'), under: 'settings' },
  codes: { load: () => import('./codes/CodesPage.vue'), under: 'settings', roles: KEEPERS },
  integrations: { load: () => import('./integrations/IntegrationsPage.vue'), under: 'settings', roles: ['admin'] },
  wall: { load: () => import('./wall/WallPage.vue'), aside: true },
} satisfies Record<string, Page>

export type PageName = keyof typeof pages
export const PAGES: Record<PageName, Page> = pages
const NAMES = Object.keys(pages) as PageName[]

const open = (place: Place, role: string | undefined) => !place.roles || place.roles.includes(role ?? '')

export function isPage(name: string | undefined): name is PageName {
  return name !== undefined && Object.hasOwn(pages, name)
}

/** What stands after the page in its address. The name of its first part is the page itself, as its tab says. */
export function pieceOf(name: PageName, piece: string | undefined): string | null {
  const [first] = Object.keys(PAGES[name].parts ?? {})
  return !piece || piece === first ? null : piece
}

/** The page of the header under which this one stands. */
export function parentOf(name: PageName): PageName {
  const under = PAGES[name].under
  return isPage(under) ? under : name
}

/** What the header offers. Where somebody stands already is always shown; of a page closed to a role, what under it is meant for that role. */
export function headerPages(role: string | undefined, current: PageName, provider = false): PageName[] {
  if (provider) return NAMES.filter((name) => (PAGES[name].provider && open(PAGES[name], role)) || name === parentOf(current))
  const own = (name: PageName) => NAMES.filter((one) => PAGES[one].under === name && PAGES[one].roles && open(PAGES[one], role)).slice(0, 1)
  return NAMES.filter((name) => !PAGES[name].under && !PAGES[name].aside).flatMap((name) => (open(PAGES[name], role) || name === parentOf(current) ? [name] : own(name)))
}

export interface Tab {
  /** Key of its name: `nav.devices.work`. */
  title: string
  href: string
  current: boolean
}

/** The tabs beside `current`: the parts of its parent, then the pages under it. `part` is the first piece of the address. */
export function tabsOf(current: PageName, part: string | null, role: string | undefined, provider = false): Tab[] {
  const parent = parentOf(current)
  const parts = Object.entries(PAGES[parent].parts ?? {})
  const [first] = parts[0] ?? []
  const within = part !== null && parts.some(([id]) => id === part) ? part : first
  const own: Tab[] = parts.length
    ? parts
        .filter(([id, place]) => (open(PAGES[parent], role) && open(place, role) && !(provider && place.district)) || (current === parent && id === within))
        .map(([id]) => ({ title: `nav.${parent}.${id}`, href: id === first ? `#/${parent}` : `#/${parent}/${id}`, current: current === parent && id === within }))
    : [{ title: `nav.${parent}`, href: `#/${parent}`, current: current === parent }]
  const under = NAMES.filter((name) => PAGES[name].under === parent && ((open(PAGES[name], role) && (!provider || PAGES[name].provider)) || name === current))
  return [...own, ...under.map((name) => ({ title: `nav.${name}`, href: `#/${name}`, current: name === current }))]
}
