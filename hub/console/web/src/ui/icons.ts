/** Paths on a 24x24 field, strokes only. The console adds its own, so that the phone does not carry them. */
export const SHARED_ICONS = {
  sound: 'M5 9.5v5h3.5L13 18.5v-13L8.5 9.5H5ZM16.5 9a4 4 0 0 1 0 6M19 6.5a7.5 7.5 0 0 1 0 11',
  phone: 'M6.5 4h3l1.5 4-2 1.5a11 11 0 0 0 5.5 5.5l1.5-2 4 1.5v3c0 1-.8 1.7-1.8 1.6C11 18.6 5.4 13 4.9 5.8 4.8 4.8 5.5 4 6.5 4Z',
  check: 'M5 12.5 10 17.5 19.5 7',
  navigate: 'M20 4 4 11l7 2 2 7 7-16Z',
  warn: 'M12 4.5 2.8 19.5h18.4L12 4.5ZM12 10v4.5M12 17v.3',
  offline: 'M4 4l16 16M5 12.5a10 10 0 0 1 3.5-2.3M2 9a14 14 0 0 1 4-2.6M11.5 6a14 14 0 0 1 10.5 3M15 10.7a10 10 0 0 1 4 1.8M9 15.8a5 5 0 0 1 6 0M12 19v.2',
  person: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.5 20.5a7.5 7.5 0 0 1 15 0',
  shift: 'M4 6h16v14H4V6ZM4 10.5h16M8.5 3v5M15.5 3v5',
  gear: 'M4 7h9M17 7h3M4 17h3M11 17h9M15 4.5v5M9 14.5v5',
} as const

export const paths: Record<string, string> = { ...SHARED_ICONS }
