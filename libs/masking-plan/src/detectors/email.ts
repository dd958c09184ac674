import type { Span } from './span.ts'

/**
 * E-mail addresses. Method: from every @, the characters of a local part to the left and a domain
 * with a letter in its last label to the right. Limits: what stands before a rare character of the
 * local part (!#$&*'/=?^{|} or a quote) stays; addresses at an IP literal or with %40 for the @ are
 * not found.
 */
export function email(text: string): Span[] {
  const spans: Span[] = []
  // Neither side runs over another @, so that every character is looked at twice at most.
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    let start = at
    while (start > 0 && LOCAL.test(text.charAt(start - 1))) start--
    if (start === at) continue
    DOMAIN.lastIndex = at + 1
    const domain = DOMAIN.exec(text)
    if (domain === null || !LAST_LABEL.test(domain[0].slice(domain[0].lastIndexOf('.')))) continue
    spans.push({ start, end: at + 1 + domain[0].length })
  }
  return spans
}

// Without the u flag a character outside the basic plane is two halves; both are let in.
const LOCAL = /[\p{L}\p{N}\p{M}\p{Cs}._%+-]/u
const DOMAIN = /[\p{L}\p{N}\p{M}-]+(?:\.[\p{L}\p{N}\p{M}-]+)+/uy
const LAST_LABEL = /^\.(?=.{2,63}$)[\p{L}\p{N}-]*\p{L}/u
