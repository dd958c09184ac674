import { isUtf8 } from 'node:buffer'
import { decodeSubject, digestOf, type RequestSubject } from '@countersign/contracts'
import { messageOf } from '@countersign/kernel'
import type { Context } from './context.ts'
import { answerOf } from './http.ts'
import { json } from './json.ts'
import type { Paint } from './paint.ts'
import { oneLine, printable } from './printable.ts'

/** What a request asks to the byte, or why that cannot be shown. */
export type Exact =
  | { readonly status: 'seen'; readonly subject: RequestSubject }
  | { readonly status: 'missing' | 'different'; readonly why: string }

/**
 * The statement and parameters of a request, from replay. What is shown is decoded from the very bytes that the digest
 * of the request is computed over here, so that neither replay nor the console can show something else.
 */
export async function exactRequest(context: Context, request: unknown): Promise<Exact> {
  const sessionId = encodeURIComponent(json.text(request, 'sessionId'))
  const requestId = encodeURIComponent(json.text(request, 'requestId'))
  try {
    const url = `${context.replayUrl()}/v1/sessions/${sessionId}/requests/${requestId}`
    const subject = json.textOrNull(
      await answerOf({ url, token: await context.token() }),
      'subject',
    )
    if (subject === null) return { status: 'missing', why: 'the key of its session was erased' }
    return checked(Buffer.from(subject, 'base64'), json.text(request, 'digest'))
  } catch (thrown) {
    return { status: 'missing', why: messageOf(thrown) }
  }
}

function checked(bytes: Buffer, digest: string): Exact {
  const found = digestOf(bytes)
  if (found === digest) return { status: 'seen', subject: decodeSubject(bytes) }
  return { status: 'different', why: `replay has other bytes; their digest is ${found}` }
}

/** The statement and its parameters, whole; or loudly that they cannot be shown. */
export function exactText(exact: Exact, paint: Paint): string {
  if (exact.status !== 'seen') {
    const what = exact.status === 'different' ? 'IS NOT WHAT WAITS' : 'CANNOT BE SHOWN'
    return `  ${paint('red', `THE EXACT STATEMENT ${what}`)}: ${oneLine(exact.why)}\n`
  }
  const { text, kind, rowsMax } = exact.subject
  const limit = rowsMax === 0 ? '' : `, at most ${rowsMax} rows`
  const head = `  ${paint('dim', 'exactly'.padEnd(10))}${kind}, ${text.length} bytes${limit}; the digest is of this:\n`
  return `${head}${indented(shownBytes(text))}${parametersText(exact.subject)}`
}

/** The same for programs. */
export const exactJson = (exact: Exact): object =>
  exact.status === 'seen'
    ? {
        status: exact.status,
        kind: exact.subject.kind,
        text: shownBytes(exact.subject.text),
        parameters: parametersOf(exact.subject),
        rowsMax: exact.subject.rowsMax,
      }
    : exact

type Parameter = { readonly type: number; readonly format: string; readonly value: string | null }

/** One format stands for all parameters, as in Bind. */
const parametersOf = (subject: RequestSubject): readonly Parameter[] =>
  subject.parameters.map((bytes, index) => {
    const formats = subject.parameterFormats
    const isBinary = (formats.length === 1 ? formats[0] : formats[index]) === 1
    const type = subject.parameterTypes[index] ?? 0
    const value = bytes === null ? null : isBinary ? hex(bytes) : shownBytes(bytes)
    return { type, format: isBinary ? 'binary' : 'text', value }
  })

function parametersText(subject: RequestSubject): string {
  return parametersOf(subject)
    .map(({ type, format, value }, index) => {
      const declared = type === 0 ? '' : `, type ${type}`
      const head = `    $${index + 1} (${format}${declared}) = `
      return value === null ? `${head}NULL\n` : `${head}${quoted(printable(value))}\n`
    })
    .join('')
}

/** Text as it is; what is no UTF-8 byte by byte, since a replacement character could stand for anything. */
const shownBytes = (bytes: Buffer): string => (isUtf8(bytes) ? bytes.toString('utf8') : hex(bytes))

const hex = (bytes: Buffer): string => `\\x${bytes.toString('hex')}`

/** A line feed in a value must not look like the next parameter. */
const quoted = (text: string): string => `'${text.replaceAll('\n', '\\n').replaceAll('\t', '\\t')}'`

const indented = (text: string): string =>
  printable(text)
    .split('\n')
    .map((line) => `    ${line}\n`)
    .join('')
