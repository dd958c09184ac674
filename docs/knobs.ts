import { z } from 'zod'

/** The settings of a service as a table: what they are called, what holds without them, what they mean. */
export function knobsTable(settings: z.ZodRawShape): string {
  const rows = Object.entries(settings).map(
    ([name, setting]) => `| \`${name}\` | ${withoutIt(setting)} | ${asText(meaningOf(setting))} |`,
  )
  return ['| variable | default | meaning |', '|---|---|---|', ...rows].join('\n')
}

function withoutIt(setting: z.core.$ZodType): string {
  const read = z.safeParse(setting, undefined)
  if (!read.success) return 'required'
  return read.data === undefined ? '–' : `\`${String(read.data)}\``
}

/** A default, `optional()` or `transform()` wraps the setting that has the description. */
function meaningOf(setting: z.core.$ZodType): string {
  const described = z.globalRegistry.get(setting)?.description
  if (described !== undefined) return described
  if (setting instanceof z.ZodOptional || setting instanceof z.ZodDefault)
    return meaningOf(setting.def.innerType)
  if (setting instanceof z.ZodPipe) return meaningOf(setting.def.in)
  throw new Error('a setting has no description')
}

/** A cell of a Markdown table. */
const asText = (text: string): string => text.replaceAll('<', '&lt;').replaceAll('|', '\\|')
