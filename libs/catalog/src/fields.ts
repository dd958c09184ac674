import { z } from 'zod'

/** A name in the catalog, as Kubernetes would take it. */
export const name = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'lower-case letters, digits and -, at most 63')

export const environment = name

export const groupName = z.string().min(1).max(200)

/** A role of PostgreSQL. Names that begin with cs_ are Countersign's own. */
export const roleName = z
  .string()
  .regex(/^(?!cs_)[a-z_][a-z0-9_$]{0,62}$/, 'a role name; names that begin with cs_ are reserved')

/** A schema of the target, or with `*` at its end all that begin so; none of PostgreSQL itself. */
export const schemaPattern = z
  .string()
  .regex(
    /^(?!pg_)[A-Za-z_][A-Za-z0-9_$-]{0,62}\*?$/,
    'a schema, or the beginning of its name and *; not pg_…',
  )

/** An effect for which roles can be lent. */
export const effectName = z.enum([
  'read',
  'write',
  'delete',
  'schema-change',
  'privilege-change',
  'session-change',
  'notify',
  'opaque',
])

/** A masking method. YAML reads a bare `null` as no value, and here it is meant as the method. */
export const methodName = z.preprocess(
  (value) => value ?? 'null',
  z.enum(['redact', 'partial', 'pseudonym', 'null']),
)

/** `500ms`, `60s`, `15m`, `8h` or `2d`, as milliseconds. */
export const duration = z
  .string()
  .regex(/^[1-9]\d{0,8}(ms|s|m|h|d)$/, 'a duration such as 60s, 15m or 8h')
  .transform((text) => Number.parseInt(text, 10) * (UNITS[text.replace(/^\d+/, '')] ?? Number.NaN))

/** A duration, or 0 for none at all. */
export const durationOrNone = z
  .union([z.literal(0), z.literal('0s')])
  .transform(() => 0)
  .or(duration)

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}
