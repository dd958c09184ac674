/** Reads answers of the APIs field by field; a missing field is empty, so that an older client reads a newer server. */
export const json = {
  text: (value: unknown, name: string): string => {
    const found = member(value, name)
    return typeof found === 'string' ? found : typeof found === 'number' ? String(found) : ''
  },
  textOrNull: (value: unknown, name: string): string | null => {
    const found = member(value, name)
    return typeof found === 'string' && found !== '' ? found : null
  },
  number: (value: unknown, name: string): number | null => {
    const found = member(value, name)
    return typeof found === 'number' ? found : null
  },
  flag: (value: unknown, name: string): boolean => member(value, name) === true,
  list: (value: unknown, name: string): readonly unknown[] => {
    const found = member(value, name)
    return Array.isArray(found) ? found : []
  },
  texts: (value: unknown, name: string): readonly string[] =>
    json.list(value, name).map((item) => (typeof item === 'string' ? item : JSON.stringify(item))),
  member: (value: unknown, name: string): unknown => member(value, name),
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  return Object.entries(value).find(([key]) => key === name)?.[1]
}
