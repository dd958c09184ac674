/**
 * True if a name says that a number is one of a payment card. Purpose: one in ten EANs and other numbers of 13 to 19 digits
 * looks like a card. Method: the name as snake_case words, compared with a list. Limits: names in other languages than
 * English and German are not known; cards in a number without such a name are not found.
 */
export function isCardLike(name: string): boolean {
  const words = name
    .replace(CAMEL, '$1_$2')
    .replace(/[^a-zA-Z0-9]+/g, '_')
    .toLowerCase()
  return ANYWHERE.test(words) || AS_WORD.test(words)
}

const CAMEL = /([a-z0-9])([A-Z])/g
const ANYWHERE = /card|ccnum|cc_?number|credit_?no|kreditkarte|karten_?n/
const AS_WORD = /(?:^|_)(?:pan|cc|ccn|cc_?no|cc_?nr)(?:_|$)/
