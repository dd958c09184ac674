/**
 * The settings in the `options` of a StartupMessage, in their order; null where it asks for anything else.
 *
 * ```
 * options = *( SPACE / "\" any )      a backslash makes the next character part of a word
 * word    = "-c" [SPACE] name "=" value / "--" name "=" value
 * ```
 *
 * As in PostgreSQL (`pg_split_opts`, `ParseLongOption`): a dash in a name is an underscore.
 */
export function settingsInOptions(options: string): (readonly [string, string])[] | null {
  const words = wordsOf(options)
  const settings: (readonly [string, string])[] = []
  for (let index = 0; index < words.length; index++) {
    let word = words[index] ?? ''
    if (word === '-c') word = `-c${words[++index] ?? ''}`
    const [, name, value] = /^(?:-c|--)([\w.-]+)=([^]*)$/.exec(word) ?? []
    if (name === undefined || value === undefined) return null
    settings.push([name.replaceAll('-', '_'), value])
  }
  return settings
}

function wordsOf(text: string): string[] {
  const words: string[] = []
  let word: string | null = null
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at)
    if (/[ \t\n\v\f\r]/.test(character)) {
      if (word !== null) words.push(word)
      word = null
    } else if (character === '\\') word = (word ?? '') + text.charAt(++at)
    else word = (word ?? '') + character
  }
  if (word !== null) words.push(word)
  return words
}
