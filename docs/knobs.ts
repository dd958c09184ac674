import { z } from 'zod'
import { meaningOf } from '../libs/runtime/src/setting.ts'

/** The settings of a service as a Markdown table: name, default and meaning of each. */
export function knobsTable(settings: z.ZodRawShape): string {
  const rows = Object.entries(settings).map(
    ([name, setting]) =>
      `| \`${name}\` | ${withoutIt(setting)} | ${asText(described(name, setting))} |`,
  )
  return ['| variable | default | meaning |', '|---|---|---|', ...rows].join('\n')
}

function withoutIt(setting: z.core.$ZodType): string {
  const read = z.safeParse(setting, undefined)
  if (!read.success) return 'required'
  return read.data === undefined ? '–' : `\`${String(read.data)}\``
}

/** The meaning of a setting. A setting without one is an error, so that no page lists it unexplained. */
function described(name: string, setting: z.core.$ZodType): string {
  const meaning = meaningOf(setting)
  if (meaning === undefined) throw new Error(`the setting ${name} has no description`)
  return meaning
}

/** A text escaped for a cell of a Markdown table. */
const asText = (text: string): string => text.replaceAll('<', '&lt;').replaceAll('|', '\\|')
