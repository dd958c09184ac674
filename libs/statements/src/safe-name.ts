/**
 * A name as people read it: plain names as they are, others in double quotes; characters that cannot be seen, or that
 * change how the rest is read, as their code. An agent chooses names, and a name must not read as words of ours.
 */
export function safeName(name: string): string {
  if (/^[a-z_][a-z0-9_$]*$/.test(name) && name.length <= NAME_MAX) return name
  const cut = [...name].length > NAME_MAX ? `${[...name].slice(0, NAME_MAX).join('')}…` : name
  return `"${safeText(cut).replaceAll('"', '""')}"`
}

/** Text of others, safe inside a sentence of ours: characters that cannot be seen are shown as their code. */
export const safeText = (text: string): string =>
  text.replace(UNSEEN, (found) => {
    const code = (found.codePointAt(0) ?? 0).toString(16)
    return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`
  })

const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu
/** PostgreSQL cuts names at 63 bytes. */
const NAME_MAX = 63
