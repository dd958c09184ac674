import { type DetectorFigures, detectorReport } from './detectors.ts'
import { table } from './figures.ts'
import type { RequestFigures } from './requests.ts'
import type { SessionFigures } from './sessions.ts'
import type { StatementFigures } from './statements.ts'
import type { StreamingFigures } from './streaming.ts'

/** Everything that one run measured. */
export type Figures = {
  readonly at: string
  /** A shorter run, with less of everything: for a look, not for comparisons. */
  readonly quick: boolean
  readonly machine: {
    readonly cpu: string
    readonly cores: number
    readonly memoryGibibytes: number
    readonly node: string
  }
  readonly statements: readonly StatementFigures[]
  readonly requests: RequestFigures
  readonly sessions: SessionFigures
  readonly streaming: StreamingFigures
  readonly detectors: readonly DetectorFigures[]
}

/** The figures as people read them, beside the goals. */
export function report(figures: Figures): string {
  const { quick, machine, statements, requests, sessions, streaming, detectors } = figures
  const ratio = (a: number, b: number): string => `${(a / b).toFixed(2)} ×`
  const rows = statements.map(({ mode, clients, latencyMs, perSecond }) => [
    `${mode}, c=${clients}`,
    latencyMs.direct,
    latencyMs.pgbouncer,
    latencyMs.countersign,
    perSecond.direct,
    perSecond.pgbouncer,
    perSecond.countersign,
    ratio(perSecond.countersign, perSecond.pgbouncer),
  ])
  const one = statements.find(({ mode, clients }) => mode === 'simple' && clients === 1)
  const added = one === undefined ? 0 : one.latencyMs.countersign - one.latencyMs.direct
  const { seconds } = streaming
  return [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGibibytes} GiB, Node ${machine.node}; everything on it${quick ? '; --quick' : ''}`,
    '',
    table(
      [
        'covered SELECT',
        'direct ms',
        'PgBouncer ms',
        'Countersign ms',
        'direct/s',
        'PgBouncer/s',
        'Countersign/s',
        'of PgBouncer',
      ],
      rows,
    ),
    '',
    table(
      ['what', 'measured', 'goal'],
      [
        ['one append', `${requests.appendMs} ms`, ''],
        ['covered, c=1, beyond direct', `${added.toFixed(2)} ms`, 'one append + 0.3 ms'],
        ['uncovered, first sight (node-postgres)', `${requests.firstSightMs} ms`, ''],
        ['the same shape again (node-postgres)', `${requests.coveredMs} ms`, ''],
        ['countersign to target', `${requests.countersignToTargetMs} ms`, '20 ms'],
        [
          'open a session, one statement, close',
          `${sessions.openMs} ms (direct ${sessions.directOpenMs})`,
          '40 ms',
        ],
        ['sessions, eight at once', `${sessions.perSecond}/s`, '100/s'],
        [
          `an idle session (of ${sessions.idleSessions})`,
          `${sessions.idleKibibytes} KiB`,
          '100 KiB',
        ],
        [
          `${streaming.rows} rows`,
          `${seconds.countersign} s (direct ${seconds.direct}, PgBouncer ${seconds.pgbouncer}): ${ratio(seconds.direct, seconds.countersign)} direct`,
          '0.5 × direct',
        ],
        [
          'proxy while it streams',
          `${streaming.proxyMebibytes.before} → ${streaming.proxyMebibytes.peak} MiB`,
          'bounded',
        ],
      ],
    ),
    '',
    detectorReport(detectors),
  ].join('\n')
}
