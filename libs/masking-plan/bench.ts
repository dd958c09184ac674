import { ADVERSARIAL, hidden, repeated, speed } from './src/adversarial.fixture.ts'
import { detect, DETECTORS, findersOf } from './src/detect.ts'

/** Measures each detector on its worst texts: `node libs/masking-plan/bench.ts [MB]`. */
const bytes = Number(process.argv[2] ?? 1) * 1_000_000

function worst(label: string, find: (text: string) => unknown, texts: readonly string[]): void {
  const found = texts
    .map((text) => ({ text, mbPerS: speed(repeated(text, bytes), find) }))
    .sort((one, other) => one.mbPerS - other.mbPerS)
  const shown = found
    .slice(0, 3)
    .map(({ text, mbPerS }) => `${mbPerS.toFixed(0)} MB/s on ${JSON.stringify(text.slice(0, 24))}`)
  console.log(`${label.padEnd(10)} ${shown.join(', ')}`)
}

for (const name of DETECTORS)
  for (const find of findersOf(name)) worst(find.name, find, ADVERSARIAL[name])
const all = Object.values(ADVERSARIAL).flat()
worst(
  'encoded',
  (text) => detect(text),
  all.flatMap((text) => hidden(repeated(text, 3_000))),
)
worst('together', (text) => detect(text), all)
