import { detect, type DetectorName, DETECTORS } from '@countersign/masking-plan'
import { hidden, repeated, WORST_TEXTS } from '@countersign/masking-plan/worst-texts'
import { rounded, table } from './figures.ts'

/** The speed at which detectors search texts that are known to be slow: on the slowest of them, and the median. */
export type DetectorFigures = {
  /** A detector alone, all of them together, or all in base64 and hex. */
  readonly name: DetectorName | 'together' | 'encoded'
  readonly megabytesPerSecond: number
  readonly slowestText: string
  readonly medianMegabytesPerSecond: number
}

/** Each detector on its worst texts, without a system. Takes processor time, so that other work changes little. */
export function measureDetectors(): DetectorFigures[] {
  const all = Object.values(WORST_TEXTS).flat()
  const encoded = all.flatMap((text) => hidden(repeated(text, HIDDEN_CHARS)))
  return [
    ...DETECTORS.map((name) => measured(name, WORST_TEXTS[name], [name])),
    measured('together', all, DETECTORS),
    measured('encoded', encoded, DETECTORS),
  ]
}

/** The figures as people read them, beside the goal. */
export const detectorReport = (figures: readonly DetectorFigures[]): string =>
  table(
    ['detector', 'MB/s, slowest', 'goal', 'MB/s, median', 'slowest text'],
    figures.map(({ name, megabytesPerSecond, medianMegabytesPerSecond, slowestText }) => [
      name,
      megabytesPerSecond,
      GOAL_MEGABYTES_PER_SECOND,
      medianMegabytesPerSecond,
      `\`${JSON.stringify(slowestText)}\``,
    ]),
  )

function measured(
  name: DetectorFigures['name'],
  texts: readonly string[],
  names: readonly DetectorName[],
): DetectorFigures {
  // The code is compiled for all of the texts before it is measured on one.
  for (const text of texts) detect(cell(text, WARM_UP_CHARS), names)
  const bySpeed = (one: { speed: number }, other: { speed: number }): number =>
    one.speed - other.speed
  const sorted = texts.map((text) => ({ text, speed: speedOn(text, names, ROUNDS) })).sort(bySpeed)
  // Of many texts the slowest is one that other work disturbed; so those that seem slow are measured for longer.
  const [slowest] = sorted
    .slice(0, DOUBTED)
    .map(({ text }) => ({ text, speed: speedOn(text, names, DOUBTED_ROUNDS) }))
    .sort(bySpeed)
  const middle = sorted[sorted.length >> 1]
  if (slowest === undefined || middle === undefined) throw new Error('nothing was measured')
  return {
    name,
    megabytesPerSecond: rounded(slowest.speed, 1),
    slowestText: slowest.text.slice(0, SHOWN_CHARS),
    medianMegabytesPerSecond: rounded(middle.speed, 1),
  }
}

/** The MB a second of the fastest of some rounds: in the slower ones other work took the caches. */
function speedOn(text: string, names: readonly DetectorName[], rounds: number): number {
  const long = cell(text, MEASURED_CHARS)
  let bestUs = Infinity
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage()
    detect(long, names)
    const { user, system } = process.cpuUsage(before)
    bestUs = Math.min(bestUs, user + system)
  }
  return Buffer.byteLength(long) / Math.max(1, bestUs)
}

/** A long text as it is read from a cell. */
const cell = (text: string, chars: number): string =>
  Buffer.from(repeated(text, chars)).toString('utf8')

const GOAL_MEGABYTES_PER_SECOND = 20
const WARM_UP_CHARS = 6_000
const MEASURED_CHARS = 60_000
const ROUNDS = 4
const DOUBTED = 8
const DOUBTED_ROUNDS = 40
/** The length of a text before it is hidden in base64 or hex. */
const HIDDEN_CHARS = 600
const SHOWN_CHARS = 24
