import type { Paint } from './paint.ts'

/** The changes between two texts, line by line, with some lines around each change. */
export function diffText(before: string, after: string, paint: Paint): string {
  const [a, b] = [linesOf(before), linesOf(after)]
  const steps = stepsBetween(a, b)
  const isNear = steps.map((_, index) =>
    steps.slice(Math.max(0, index - AROUND), index + AROUND + 1).some(({ sign }) => sign !== ' '),
  )
  let isSkipping = false
  return steps
    .flatMap(({ sign, line }, index) => {
      if (isNear[index] !== true) {
        const gap = isSkipping ? [] : [paint('dim', '    …\n')]
        isSkipping = true
        return gap
      }
      isSkipping = false
      const text = `  ${sign} ${line}\n`
      return [sign === '+' ? paint('green', text) : sign === '-' ? paint('red', text) : text]
    })
    .join('')
}

type Step = { readonly sign: ' ' | '+' | '-'; readonly line: string }

/** The steps by the longest common subsequence; texts too long for it give all old lines, then all new ones. */
function stepsBetween(a: readonly string[], b: readonly string[]): Step[] {
  let start = 0
  while (start < a.length && start < b.length && a[start] === b[start]) start++
  let end = 0
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end))
    end++
  const old = a.slice(start, a.length - end)
  const fresh = b.slice(start, b.length - end)
  const same = (line: string): Step => ({ sign: ' ', line })
  return [
    ...a.slice(0, start).map(same),
    ...middle(old, fresh),
    ...a.slice(a.length - end).map(same),
  ]
}

function middle(a: readonly string[], b: readonly string[]): Step[] {
  const removed = (line: string): Step => ({ sign: '-', line })
  const added = (line: string): Step => ({ sign: '+', line })
  if (a.length * b.length > CELLS_MAX) return [...a.map(removed), ...b.map(added)]
  const width = b.length + 1
  const length = new Uint32Array((a.length + 1) * width)
  const at = (i: number, j: number): number => length[i * width + j] ?? 0
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      length[i * width + j] =
        a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
    }
  }
  const steps: Step[] = []
  let [i, j] = [0, 0]
  while (i < a.length || j < b.length) {
    const [left, right] = [a[i], b[j]]
    if (left !== undefined && left === right) {
      steps.push({ sign: ' ', line: left })
      i++
      j++
    } else if (left !== undefined && (right === undefined || at(i + 1, j) >= at(i, j + 1))) {
      steps.push(removed(left))
      i++
    } else if (right !== undefined) {
      steps.push(added(right))
      j++
    }
  }
  return steps
}

const linesOf = (text: string): readonly string[] =>
  text === '' ? [] : text.replace(/\n$/, '').split('\n')

const AROUND = 2
const CELLS_MAX = 4_000_000
