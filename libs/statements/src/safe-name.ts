/**
 * A name as people read it: plain names as they are, others in double quotes; what cannot be seen, or changes how the rest
 * is read, as its code. An agent chooses names, and a name must not read as words of ours.
 */
export function safeName(name: string): string {
  if (/^[a-z_][a-z0-9_$]*$/.test(name) && name.length <= NAME_MAX) return name
  const cut = [...name].length > NAME_MAX ? `${[...name].slice(0, NAME_MAX).join('')}…` : name
  return `"${safeText(cut).replaceAll('"', '""')}"`
}

/** Text of others inside a sentence. */
export const safeText = (text: string): string =>
  text.replace(UNSEEN, (found) => {
    const code = (found.codePointAt(0) ?? 0).toString(16)
    return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`
  })

const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu
/** PostgreSQL cuts names at 63 bytes. */
const NAME_MAX = 63
