import { failed, ok, type Result } from '@countersign/kernel'

/** The characters of an id that a list shows: the random end of a UUIDv7; its beginning is only the time. */
export const shortId = (id: string): string => id.slice(-SHORT)

/** The one id that begins or ends with this text. */
export function matchingId(typed: string, ids: readonly string[]): Result<string> {
  const wanted = typed.toLowerCase()
  if (ids.includes(wanted)) return ok(wanted)
  if (wanted.length < TYPED_MIN) return failed(`type at least ${TYPED_MIN} characters of the id`)
  const bare = wanted.replaceAll('-', '')
  const found = [...new Set(ids)].filter((id) => {
    const digits = id.replaceAll('-', '')
    return digits.startsWith(bare) || digits.endsWith(bare)
  })
  const [only, ...more] = found
  if (only === undefined) return failed('nothing that you may see has this id')
  if (more.length === 0) return ok(only)
  return failed(`${found.length} have such an id: ${found.slice(0, 5).join(', ')}`)
}

const SHORT = 8
const TYPED_MIN = 4
