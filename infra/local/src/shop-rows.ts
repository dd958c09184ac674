import { hash as digest } from 'node:crypto'

/** Two hundred people who do not exist; the same on every machine. */
export const customers = () =>
  numbers(200).map((id) => {
    const first = pick(FIRST_NAMES, `first ${id}`)
    const last = pick(LAST_NAMES, `last ${id}`)
    return {
      id,
      name: `${first} ${last}`,
      email: `${first}.${last}.${id}@example.com`.toLowerCase(),
      phone: `+1 555 01${digits(`phone ${id}`, 2)} ${digits(`line ${id}`, 4)}`,
      ssn: `${100 + (id % 560)}-${10 + (id % 89)}-${1000 + id}`,
      card_number: withLuhn(`4${digits(`card ${id}`, 14)}`),
      iban: iban(`10010010${digits(`iban ${id}`, 10)}`),
      created_at: at(id),
    }
  })

export const products = () =>
  numbers(40).map((id) => ({
    id,
    name: `${pick(ADJECTIVES, `adjective ${id}`)} ${pick(THINGS, `thing ${id}`)}`,
    price_cents: 199 + number(`price ${id}`, 20_000),
  }))

export const orders = () => {
  const people = customers()
  return numbers(220).map((id) => ({
    id,
    customer_id: 1 + number(`customer ${id}`, 200),
    total_cents: 500 + number(`total ${id}`, 50_000),
    status: pick(['open', 'paid', 'sent', 'returned'], `status ${id}`),
    note: id % 10 === 0 ? `Please call ${people[id % 200]?.phone ?? ''} before noon` : null,
    created_at: at(id),
  }))
}

export const apiKeys = () =>
  numbers(50).map((id) => ({
    id,
    customer_id: id,
    api_key: `sk_live_${hash(`key ${id}`).slice(0, 32)}`,
    password_hash: `$2b$12$${hash(`password ${id}`).slice(0, 53)}`,
  }))

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1)
const hash = (seed: string): string => digest('sha256', seed, 'hex')
const number = (seed: string, below: number): number => parseInt(hash(seed).slice(0, 8), 16) % below
const digits = (seed: string, count: number): string =>
  numbers(count)
    .map((place) => number(`${seed}/${place}`, 10))
    .join('')
const pick = (values: readonly string[], seed: string): string =>
  values[number(seed, values.length)] ?? ''
const at = (id: number): string => new Date(Date.UTC(2026, 0, 1) + id * 3_600_000).toISOString()

/** The check digit of a card (ISO/IEC 7812), so that detectors have something real to find. */
function withLuhn(payload: string): string {
  const sum = [...payload].reverse().reduce((total, digit, index) => {
    const doubled = Number(digit) * (index % 2 === 0 ? 2 : 1)
    return total + (doubled > 9 ? doubled - 9 : doubled)
  }, 0)
  return `${payload}${(10 - (sum % 10)) % 10}`
}

/** A German IBAN with its check digits (ISO 7064 MOD 97-10; D is 13, E is 14). */
function iban(account: string): string {
  const check = 98n - (BigInt(`${account}131400`) % 97n)
  return `DE${String(check).padStart(2, '0')}${account}`
}

const FIRST_NAMES = [
  'Ada',
  'Grace',
  'Alan',
  'Edsger',
  'Barbara',
  'Donald',
  'Radia',
  'Ken',
  'Frances',
  'Tony',
]
const LAST_NAMES = [
  'Miller',
  'Okafor',
  'Lindqvist',
  'Tanaka',
  'Moreau',
  'Novak',
  'Silva',
  'Kaya',
  'Brandt',
  'Rossi',
]
const ADJECTIVES = ['Blue', 'Quiet', 'Folding', 'Woollen', 'Tiny', 'Bright']
const THINGS = ['Lamp', 'Chair', 'Teapot', 'Blanket', 'Notebook', 'Bicycle bell']
