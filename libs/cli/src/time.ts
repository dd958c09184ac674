/** A span of time for people: 420 ms, 3.2 s, 14 min 5 s, 3 h 20 min. */
export function span(ms: number): string {
  if (ms < 1_000) return `${ms < 10 ? Math.round(ms * 10) / 10 : Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`
  const seconds = Math.round(ms / 1_000)
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`
}

/** The time that is left until a moment, or `over`. */
export function left(iso: string | null, nowMs: number): string {
  if (iso === null) return '–'
  const ms = Date.parse(iso) - nowMs
  return ms > 0 ? span(ms) : 'over'
}

/** Milliseconds since 1970 of a moment in an answer: ISO 8601, or microseconds. */
export const momentOf = (value: unknown): number =>
  typeof value === 'number'
    ? value / 1_000
    : typeof value === 'string'
      ? Date.parse(value)
      : Number.NaN

/** A moment after the beginning, as +1.204s. */
export function offset(fromMs: number, atMs: number): string {
  const seconds = (atMs - fromMs) / 1_000
  return Number.isFinite(seconds) ? `+${Math.max(0, seconds).toFixed(3)}s` : '+?'
}

/** A moment for people, in UTC. */
export const moment = (iso: string | null): string =>
  iso === null || Number.isNaN(Date.parse(iso))
    ? '–'
    : new Date(iso)
        .toISOString()
        .replace('T', ' ')
        .replace(/\.\d+Z$/, 'Z')
