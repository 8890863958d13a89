/** Which one line stands under the header, when several might. Pure. */
export const BANNERS = ['down', 'stale', 'replaying', 'journal', 'provisional', 'database', 'sound', 'flood', 'maintenance'] as const
export type Banner = (typeof BANNERS)[number]

/** The most important of those that hold; their order is that of `BANNERS`, and nothing else. */
export const topBanner = (holds: Readonly<Record<Banner, boolean>>): Banner | null => BANNERS.find((one) => holds[one]) ?? null
