import { json } from './json.ts'
import { type Paint, styleOf } from './paint.ts'
import { oneLine } from './printable.ts'
import { shortId } from './short-id.ts'
import { cut, table } from './table.ts'
import { left, moment } from './time.ts'

/** Requests as a table. */
export function requestTable(requests: readonly unknown[], nowMs: number, paint: Paint): string {
  return table(
    // The long column comes last, so that a narrow terminal cuts nothing else off.
    ['REQUEST', 'STATUS', 'WHO', 'PROFILE', 'WAITS FOR', 'TIME LEFT', 'WHAT'],
    requests.map((request) => {
      const status = json.text(request, 'status')
      const isPending = status === 'pending'
      return [
        shortId(json.text(request, 'requestId')),
        paint(styleOf(status), status),
        whoOf(request),
        oneLine(json.text(request, 'profile')),
        isPending ? groupsThatWait(request).join(', ') || '–' : '–',
        isPending ? left(json.textOrNull(request, 'deadline'), nowMs) : '–',
        cut(oneLine(json.text(request, 'summary')), 60),
      ]
    }),
  )
}

/** One request on a line, as `--watch` says it. */
export function requestLine(request: unknown, nowMs: number, paint: Paint): string {
  const status = json.text(request, 'status')
  const at = status === 'pending' ? 'requestedAt' : 'endedAt'
  const signers = json.texts(request, 'signedBy').map(oneLine)
  const rest =
    status === 'pending'
      ? `for ${groupsThatWait(request).join(', ') || '–'}, ${left(json.textOrNull(request, 'deadline'), nowMs)} left`
      : oneLine(json.text(request, 'words'))
  return [
    moment(json.textOrNull(request, at) ?? new Date(nowMs).toISOString()),
    paint(styleOf(status), status.padEnd(10)),
    json.text(request, 'requestId'),
    `${whoOf(request)} → ${oneLine(json.text(request, 'profile'))}`,
    cut(oneLine(json.text(request, 'summary')), 60),
    ...(signers.length === 0 ? [] : [`signed by ${signers.join(', ')}`]),
    ...(rest === '' ? [] : [rest]),
  ]
    .join('  ')
    .concat('\n')
}

/** Everything about one request, with its statement as `exact` writes it. */
export function requestText(
  request: unknown,
  exact: string,
  { nowMs, paint }: { nowMs: number; paint: Paint },
): string {
  const status = json.text(request, 'status')
  const deadline = json.textOrNull(request, 'deadline')
  const words = json.textOrNull(request, 'words')
  const endedBy = json.textOrNull(request, 'endedBy')
  const effects = json.list(request, 'effects').map((effect) => {
    const where = [json.text(effect, 'schema'), json.text(effect, 'table')].filter(
      (part) => part !== '',
    )
    return [json.text(effect, 'effect'), where.join('.')].filter((part) => part !== '').join(' ')
  })
  const lines: [string, string][] = [
    ['what', oneLine(json.text(request, 'summary'))],
    ['rendering', oneLine(json.text(request, 'rendering'))],
    ['who', whoOf(request)],
    [
      'where',
      `${oneLine(json.text(request, 'profile'))} (${oneLine(json.text(request, 'environment'))})`,
    ],
    ['effects', oneLine(effects.join(', '))],
    ['lent', oneLine(json.texts(request, 'raise').join(', ')) || 'nothing'],
    ['asked', moment(json.textOrNull(request, 'requestedAt'))],
    ...(deadline === null
      ? []
      : [['time left', timeLeft(request, deadline, nowMs)] satisfies [string, string]]),
    ...(endedBy === null ? [] : [['ended by', oneLine(endedBy)] satisfies [string, string]]),
    ...(words === null ? [] : [['words', oneLine(words)] satisfies [string, string]]),
    ['session', json.text(request, 'sessionId')],
    ['digest', json.text(request, 'digest')],
  ]
  const head = `${paint('bold', json.text(request, 'requestId'))}  ${paint(styleOf(status), status)}\n`
  const body = lines.map(([name, text]) => `  ${paint('dim', name.padEnd(10))}${text}\n`).join('')
  return `${head}${body}\n${exact}\n${chainsText(request, paint)}`
}

/** The time that people have left to answer, its end, and the limit that ends it. */
function timeLeft(request: unknown, deadline: string, nowMs: number): string {
  const limit = json.textOrNull(request, 'deadlineOf')
  const why = limit === null || limit === 'deadline' ? '' : ` (${oneLine(limit)})`
  return `${left(deadline, nowMs)}, until ${moment(deadline)}${why}`
}

const whoOf = (request: unknown): string => {
  const behalfOf = json.textOrNull(request, 'behalfOf')
  const agent = oneLine(json.text(request, 'agent'))
  return behalfOf === null ? agent : `${agent} for ${oneLine(behalfOf)}`
}

function groupsThatWait(request: unknown): readonly string[] {
  const stages = json.list(request, 'chains').flatMap((chain) => json.list(chain, 'stages'))
  const current = stages.filter((stage) => json.text(stage, 'status') === 'current')
  return [...new Set(current.flatMap((stage) => json.texts(stage, 'groups')))].map(oneLine)
}

function chainsText(request: unknown, paint: Paint): string {
  const rows = json.list(request, 'chains').flatMap((chain) =>
    json.list(chain, 'stages').map((stage) => {
      const status = json.text(stage, 'status')
      return [
        `  ${oneLine(json.text(chain, 'name'))}`,
        oneLine(json.text(stage, 'name')),
        paint(status === 'complete' ? 'green' : status === 'current' ? 'yellow' : 'dim', status),
        needs(stage),
        oneLine(json.texts(stage, 'groups').join(', ')),
        oneLine(json.texts(stage, 'signers').join(', ')) || '–',
      ]
    }),
  )
  return table(['  CHAIN', 'STAGE', 'STATUS', 'NEEDS', 'GROUPS', 'COUNTERSIGNED BY'], rows)
}

function needs(stage: unknown): string {
  const mode = json.text(stage, 'mode')
  if (mode === 'All') return 'one of each group'
  const quorum = mode === 'Any' ? 1 : (json.number(stage, 'quorum') ?? 1)
  return quorum === 1 ? 'any one' : `${quorum} people`
}
