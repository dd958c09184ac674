import { isObject } from './cedar-names.ts'

/**
 * The mistakes of conditions about the clock. Purpose: a rule that no hour or weekday fits is not what its author meant.
 * Method: each comparison with a number is tried with every hour and weekday; then the conditions as a whole, where whatever
 * is not about the clock may be true or false. Known limit: an hour that is computed with counts as unknown.
 */
export function clockMistakes(conditions: unknown): readonly string[] {
  const found = new Set<string>()
  visit(conditions, found)
  if (found.size > 0) return [...found]
  if (!Array.isArray(conditions) || !MOMENTS.every((moment) => isRuledOut(conditions, moment)))
    return []
  // Conditions that are false whatever the clock says are not a mistake about the clock.
  return mentionsClock(conditions) ? ['its conditions are true at no hour of any day'] : []
}

type Moment = { readonly hour: number; readonly weekday: number }
type Unit = keyof Moment

const RANGES: Readonly<Record<Unit, { least: number; most: number; words: string }>> = {
  hour: { least: 0, most: 23, words: 'the hour is from 0 to 23, in UTC' },
  weekday: { least: 1, most: 7, words: 'the weekday is from 1 to 7, and 1 is Monday' },
}

const MOMENTS: readonly Moment[] = Array.from({ length: 24 * 7 }, (_, index) => ({
  hour: index % 24,
  weekday: 1 + Math.floor(index / 24),
}))

function visit(node: unknown, found: Set<string>): void {
  if (Array.isArray(node)) return node.forEach((each) => visit(each, found))
  if (!isObject(node)) return
  for (const [operator, operands] of Object.entries(node)) {
    if (isObject(operands)) {
      const mistake = mistakeOf(operator, operands['left'], operands['right'])
      if (mistake !== null) found.add(mistake)
    }
    visit(operands, found)
  }
}

function mistakeOf(operator: string, left: unknown, right: unknown): string | null {
  const unit = unitOf(left) ?? unitOf(right)
  if (unit === null) return null
  const { least, most, words } = RANGES[unit]
  if (operator === 'contains') {
    const outside = numbersOf(left).filter((each) => each < least || each > most)
    return outside.length === 0
      ? null
      : `context.time.${unit} is never ${outside.join(', ')}: ${words}`
  }
  const [one, other] = [literalOf(left), literalOf(right)]
  const literal = one ?? other
  const compare = COMPARISONS.get(operator)
  if (literal === null || compare === undefined) return null
  const results = MOMENTS.map((moment) => compare(one ?? moment[unit], other ?? moment[unit]))
  const isNever = results.every((result) => !result)
  const isAlways = results.every((result) => result)
  // `hour >= 0` and `hour < 24` write out the ends of a range.
  const isEnd = EQUALITIES.has(operator) ? false : literal >= least - 1 && literal <= most + 1
  if (!isNever && (!isAlways || isEnd)) return null
  const attribute = `context.time.${unit}`
  const text = `${one ?? attribute} ${operator} ${other ?? attribute}`
  return `${text} is ${isNever ? 'never' : 'always'} true: ${words}`
}

const isRuledOut = (conditions: readonly unknown[], moment: Moment): boolean =>
  conditions.some((each) => {
    if (!isObject(each)) return false
    return truth(each['body'], moment) === (each['kind'] === 'unless')
  })

/** True, false, or null where more than the clock decides. */
function truth(node: unknown, moment: Moment): boolean | null {
  if (!isObject(node)) return null
  const [operator = '', operands] = Object.entries(node)[0] ?? []
  if (operator === 'Value') return typeof operands === 'boolean' ? operands : null
  if (!isObject(operands)) return null
  const { left, right } = operands
  switch (operator) {
    case '!': {
      const of = truth(operands['arg'], moment)
      return of === null ? null : !of
    }
    case '&&':
      return least(truth(left, moment), truth(right, moment), false)
    case '||':
      return least(truth(left, moment), truth(right, moment), true)
    case 'if-then-else': {
      const which = truth(operands['if'], moment)
      if (which !== null) return truth(operands[which ? 'then' : 'else'], moment)
      const [then, otherwise] = [truth(operands['then'], moment), truth(operands['else'], moment)]
      return then === otherwise ? then : null
    }
    case 'contains': {
      const unit = unitOf(right)
      return unit === null || !isNumbers(left) ? null : numbersOf(left).includes(moment[unit])
    }
    default: {
      const compare = COMPARISONS.get(operator)
      const [one, other] = [numberOf(left, moment), numberOf(right, moment)]
      return compare === undefined || one === null || other === null ? null : compare(one, other)
    }
  }
}

/** Two truths joined by an operator that one `deciding` truth decides. */
function least(one: boolean | null, other: boolean | null, deciding: boolean): boolean | null {
  if (one === deciding || other === deciding) return deciding
  return one === null || other === null ? null : !deciding
}

function numberOf(node: unknown, moment: Moment): number | null {
  const unit = unitOf(node)
  return unit === null ? literalOf(node) : moment[unit]
}

const literalOf = (node: unknown): number | null =>
  isObject(node) && typeof node['Value'] === 'number' ? node['Value'] : null

const membersOf = (node: unknown): readonly unknown[] =>
  isObject(node) && Array.isArray(node['Set']) ? node['Set'] : []

const numbersOf = (node: unknown): readonly number[] =>
  membersOf(node).flatMap((each) => literalOf(each) ?? [])

/** True for a set of which every member is a number. */
const isNumbers = (node: unknown): boolean =>
  isObject(node) && Array.isArray(node['Set']) && numbersOf(node).length === membersOf(node).length

/** The unit of `context.time.hour` and `context.time.weekday`; null for anything else. */
function unitOf(node: unknown): Unit | null {
  const access = isObject(node) ? node['.'] : undefined
  if (!isObject(access) || !isObject(access['left'])) return null
  const of = access['left']['.']
  if (!isObject(of) || of['attr'] !== 'time') return null
  return access['attr'] === 'hour' || access['attr'] === 'weekday' ? access['attr'] : null
}

function mentionsClock(node: unknown): boolean {
  if (Array.isArray(node)) return node.some(mentionsClock)
  return isObject(node) && (unitOf(node) !== null || Object.values(node).some(mentionsClock))
}

const COMPARISONS: ReadonlyMap<string, (a: number, b: number) => boolean> = new Map([
  ['==', (a, b) => a === b],
  ['!=', (a, b) => a !== b],
  ['<', (a, b) => a < b],
  ['<=', (a, b) => a <= b],
  ['>', (a, b) => a > b],
  ['>=', (a, b) => a >= b],
])
const EQUALITIES: ReadonlySet<string> = new Set(['==', '!='])
