import { z } from 'zod'

/** The meaning of a setting. A default, `optional()`, `transform()` or `pipe()` wraps the one with the description. */
export function meaningOf(setting: z.core.$ZodType): string | undefined {
  return first(setting, (layer) => z.globalRegistry.get(layer)?.description)
}

/** An example of a value: the default, else the first allowed value, else one that fits the ending of the name. */
export function exampleOf(name: string, setting: z.core.$ZodType): string {
  const usual = z.safeParse(setting, undefined)
  if (usual.success && usual.data !== undefined) return String(usual.data)
  const option = first(setting, (layer) =>
    layer instanceof z.ZodEnum ? layer.options[0]?.toString() : undefined,
  )
  return option ?? EXAMPLES.find(([ending]) => name.endsWith(ending))?.[1] ?? '…'
}

/** The first answer of the setting or of what it wraps, from the outside in. */
function first<T>(
  setting: z.core.$ZodType,
  ask: (layer: z.core.$ZodType) => T | undefined,
): T | undefined {
  const answer = ask(setting)
  if (answer !== undefined) return answer
  if (setting instanceof z.ZodOptional || setting instanceof z.ZodDefault)
    return first(setting.def.innerType, ask)
  if (setting instanceof z.ZodPipe) {
    // A transform has no meaning of its own; in `preprocess` it stands first.
    return first(setting.def.in, ask) ?? first(setting.def.out, ask)
  }
  return undefined
}

/** The unit or kind comes last in a name, so it tells what a value looks like. */
const EXAMPLES: readonly (readonly [ending: string, example: string])[] = [
  ['_BROKERS', 'kafka-1:9092,kafka-2:9092'],
  ['_CERT_FILE', '/etc/countersign/tls.crt'],
  ['_KEY_FILE', '/etc/countersign/key'],
  ['_KEYS_FILE', '/etc/countersign/keys.json'],
  ['_FILE', '/etc/countersign/file'],
  ['_DIR', '/var/lib/countersign'],
  ['_ISSUER', 'https://login.example.com'],
  ['_URI', 'https://login.example.com/jwks'],
  ['_URL', 'https://countersign.example.com'],
  ['_PORT', '8080'],
  ['_MS', '5000'],
  ['_MAX', '1000'],
]
