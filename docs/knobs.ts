import { z } from 'zod'
import { meaningOf } from '../libs/runtime/src/setting.ts'

/** The settings of a service as a table: what they are called, what holds without them, what they mean. */
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

/** A knob that nobody explained must not be listed as if it were. */
function described(name: string, setting: z.core.$ZodType): string {
  const meaning = meaningOf(setting)
  if (meaning === undefined) throw new Error(`the setting ${name} has no description`)
  return meaning
}

/** A cell of a Markdown table. */
const asText = (text: string): string => text.replaceAll('<', '&lt;').replaceAll('|', '\\|')
