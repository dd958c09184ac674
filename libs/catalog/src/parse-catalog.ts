import { type Alias, type Document, isScalar, LineCounter, parseAllDocuments, visit } from 'yaml'
import { z } from 'zod'
import type { CatalogMessage } from '@countersign/contracts'
import { type Instant, ok, failed, type Result, sha256 } from '@countersign/kernel'
import type { Catalog } from './catalog.ts'
import { cedarPolicies } from './cedar-policies.ts'
import { crossChecked } from './cross-checked.ts'
import { didYouMean } from './did-you-mean.ts'
import { encodingProblem, plain } from './encoding.ts'
import { name } from './fields.ts'
import {
  type CatalogDefinition,
  isKind,
  KINDS,
  profileOf,
  rulesOf,
  stagesOf,
  type Unversioned,
} from './kinds.ts'
import { allowedAt, located, messageOfIssue } from './located.ts'
import { type CatalogFile, type CatalogProblem, listed } from './problem.ts'
import { substituted } from './substituted.ts'

export type ParseOptions = {
  /** The catalog in force already; references may point there. */
  readonly catalog?: Catalog
  /** Values for `${NAME}` in the YAML files. */
  readonly variables?: Readonly<Record<string, string>>
}

export type ParsedCatalog = {
  readonly definitions: readonly CatalogDefinition[]
  readonly problems: readonly CatalogProblem[]
  /** Mistakes that are only probable; they do not keep anything from being applied. */
  readonly warnings: readonly CatalogProblem[]
}

/** A definition with the file and line where it begins. */
export type Placed = {
  readonly definition: CatalogDefinition
  readonly file: string
  readonly line: number
}

/** Reads the files of a catalog folder. If there is any problem, none of it should be applied. */
export function parseCatalog(
  given: readonly CatalogFile[],
  options: ParseOptions = {},
): ParsedCatalog {
  const unreadable = given.flatMap((file) => encodingProblem(file) ?? [])
  // Bytes that are no text would give mistakes of their own, which say nothing.
  if (unreadable.length > 0) return { definitions: [], problems: unreadable, warnings: [] }
  const files = given.map(plain)
  const problems: CatalogProblem[] = []
  const placed: Placed[] = []
  const cedar = new Map<string, CatalogFile>()
  const used = new Set<string>()
  for (const file of files) {
    if (file.name.endsWith('.cedar')) {
      cedar.set(file.name, file)
      problems.push(...cedarPolicies(file).problems)
    } else if (!/\.ya?ml$/.test(file.name)) {
      problems.push({
        file: file.name,
        line: 1,
        message: 'not a catalog file; allowed: .yaml, .yml, .cedar',
      })
    }
  }
  for (const file of files.filter((each) => /\.ya?ml$/.test(each.name))) {
    const text = substituted(file, options.variables ?? {}, problems)
    const lines = new LineCounter()
    for (const document of parseAllDocuments(text, { lineCounter: lines, prettyErrors: false })) {
      const read = readDocument(document, { file: file.name, text, lines, cedar, used })
      if (read.ok) placed.push(...read.value)
      else problems.push(...read.error)
    }
  }
  for (const unused of cedar.keys()) {
    if (used.has(unused)) continue
    problems.push({
      file: unused,
      line: 1,
      message: 'no PolicySet names this file; name it or remove it',
    })
  }
  const crossed = crossChecked(placed, options.catalog)
  problems.push(...crossed.problems)
  const order = new Map(files.map((file, index) => [file.name, index]))
  const inOrder = (some: readonly CatalogProblem[]): CatalogProblem[] =>
    some.toSorted((a, b) => (order.get(a.file) ?? 0) - (order.get(b.file) ?? 0) || a.line - b.line)
  return {
    definitions: placed.map(({ definition }) => definition),
    problems: inOrder(problems),
    warnings: inOrder(crossed.warnings),
  }
}

/** A definition as the message that puts it in force. */
export const definedBy = (
  definition: CatalogDefinition,
  author: string,
  at: Instant,
): CatalogMessage => ({
  ...definition,
  author,
  at,
  signature: null,
})

type Reading = {
  file: string
  text: string
  lines: LineCounter
  cedar: ReadonlyMap<string, CatalogFile>
  used: Set<string>
}

function readDocument(document: Document, reading: Reading): Result<Placed[], CatalogProblem[]> {
  const { file, lines } = reading
  const at = (offset: number): number => lines.linePos(offset).line
  if (document.errors.length > 0) {
    return failed(
      document.errors.map(({ code, pos, message }) => ({
        file,
        line: at(pos[0]),
        message:
          code === 'DUPLICATE_KEY'
            ? `the key ${keyAt(reading.text, pos[0])} is there twice`
            : message,
      })),
    )
  }
  const { contents } = document
  // Comments alone are an empty document.
  if (contents === null || (isScalar(contents) && contents.value === null)) return ok([])
  const line = at(contents.range?.[0] ?? 0)
  const alias = firstAlias(document)
  if (alias !== null) {
    const message = 'an alias (*) is not supported; write the value out'
    return failed([{ file, line: at(alias.range?.[0] ?? 0), message }])
  }
  const value: unknown = document.toJS()
  const kind = kindOf(value)
  if (kind === null) {
    const message = `unknown kind ${JSON.stringify(document.get('kind') ?? null)}; allowed: ${listed(Object.keys(KINDS))}`
    return failed([{ file, line: at(located(document, ['kind'])), message }])
  }
  const schema = documentOf(KINDS[kind])
  const read = schema.safeParse(value)
  if (!read.success) {
    return failed(
      read.error.issues.flatMap((issue) =>
        issue.code === 'unrecognized_keys'
          ? issue.keys.map((key) => ({
              file,
              line: at(located(document, [...issue.path, key])),
              message: unknownField(key, issue.path, allowedAt(schema, issue.path)),
            }))
          : [{ file, line: at(located(document, issue.path)), message: messageOfIssue(issue) }],
      ),
    )
  }
  const definition = definitionOf(kind, value, reading)
  if (typeof definition === 'string') {
    return failed([{ file, line: at(located(document, ['spec', 'files'])), message: definition }])
  }
  return ok([{ definition: versioned(definition), file, line }])
}

/** The key that begins at this place of a text. */
const keyAt = (text: string, offset: number): string =>
  /^(?:"[^"\n]*"|'[^'\n]*'|[^\s:,{}[\]]+)/.exec(text.slice(offset, offset + 200))?.[0] ?? ''

const unknownField = (key: string, path: readonly PropertyKey[], allowed: string[]): string =>
  `unknown field ${[...path, key].join('.')}; allowed: ${listed(allowed)}${didYouMean(key, allowed)}`

function firstAlias(document: Document): Alias | null {
  let found: Alias | null = null
  visit(document, {
    Alias: (_, alias) => {
      found = alias
      return visit.BREAK
    },
  })
  return found
}

/** Reads the specification again with the schema of its kind, so that each kind keeps its own type. */
function definitionOf(
  kind: keyof typeof KINDS,
  value: unknown,
  reading: Reading,
): Unversioned | string {
  switch (kind) {
    case 'ConnectionProfile': {
      const { metadata, spec } = documentOf(KINDS.ConnectionProfile).parse(value)
      const profile = profileOf(metadata.name, spec)
      const version = sha256(canonical(profile))
      return {
        type: 'ConnectionProfileDefined',
        name: metadata.name,
        profile: { ...profile, version },
      }
    }
    case 'Chain': {
      const { metadata, spec } = documentOf(KINDS.Chain).parse(value)
      return {
        type: 'ChainDefined',
        name: metadata.name,
        stages: stagesOf(spec),
        holdsCopyData: spec.copyData === 'held',
      }
    }
    case 'Reviewers': {
      const { metadata, spec } = documentOf(KINDS.Reviewers).parse(value)
      return { type: 'ReviewersDefined', name: metadata.name, ...spec }
    }
    case 'MaskingRules': {
      const { metadata, spec } = documentOf(KINDS.MaskingRules).parse(value)
      return { type: 'MaskingRulesDefined', name: metadata.name, ...rulesOf(spec) }
    }
    case 'PolicySet': {
      const { metadata, spec } = documentOf(KINDS.PolicySet).parse(value)
      const folder = reading.file.replace(/[^/]*$/, '')
      const found = spec.files.map((each) => reading.cedar.get(`${folder}${each}`))
      const missing = spec.files.filter((_, index) => found[index] === undefined)
      if (missing.length > 0) {
        return `there is no file ${missing.join(', ')}; given: ${listed(reading.cedar.keys())}`
      }
      for (const each of found) if (each !== undefined) reading.used.add(each.name)
      const files = found.flatMap((each) => each ?? [])
      return { type: 'PolicySetDefined', name: metadata.name, files }
    }
  }
}

const versioned = (definition: Unversioned): CatalogDefinition => ({
  ...definition,
  version: 'profile' in definition ? definition.profile.version : sha256(canonical(definition)),
})

function kindOf(value: unknown): keyof typeof KINDS | null {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return null
  return typeof value.kind === 'string' && isKind(value.kind) ? value.kind : null
}

const documentOf = <Spec extends z.ZodType>(spec: Spec) =>
  z.strictObject({
    apiVersion: z.literal('countersign/v1'),
    kind: z.string(),
    metadata: z.strictObject({ name }),
    spec,
  })

/** JSON with the keys in order, so that the same definition has the same version. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  )
