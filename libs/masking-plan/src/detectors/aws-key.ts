import { type Span, spansOf } from './span.ts'

/**
 * Keys of Amazon Web Services. Method: key ids by their prefix and length; secrets of 40 characters
 * behind a name that starts with aws_secret. Limits: a secret without its name is not found.
 */
export function awsKey(text: string): Span[] {
  return [...spansOf(text, KEY_ID), ...(/aws_?secret/i.test(text) ? spansOf(text, SECRET) : [])]
}

const KEY_ID = /(?<![A-Z0-9])(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}(?![A-Z0-9])/g
const SECRET =
  /(?<=aws_?secret\w{0,20}\\?["']?[ \t]{0,4}[=:,>\t]{0,2}[ \t]{0,4}\\?["']?)[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])/gi
