import { safeName } from './safe-name.ts'
import { textOf, type Tree } from './tree.ts'

/** Names with a comma between them; of many the first ones and their number. */
export const listed = (names: readonly string[]): string =>
  names.length <= LISTED_MAX
    ? names.join(', ')
    : `${names.slice(0, LISTED_MAX).join(', ')} and ${names.length - LISTED_MAX} more`

const LISTED_MAX = 8

export const dotted = (words: readonly string[]): string => words.map(safeName).join('.')

/** The name of a role, as people know it. */
export function roleOf(body: Tree): string {
  switch (textOf(body, 'roletype')) {
    case 'ROLESPEC_PUBLIC':
      return 'everybody (PUBLIC)'
    case 'ROLESPEC_CSTRING':
      return safeName(textOf(body, 'rolename'))
    default:
      return 'the role of the session'
  }
}
