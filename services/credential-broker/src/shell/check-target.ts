import { type Profile } from '@countersign/contracts'
import { messageOf, Problem } from '@countersign/kernel'
import { NAMED_ALIKE_IN } from '@countersign/statements'
import { grantedRoles, otherLogins, presentRoles, strength } from '../core/sql/check-target.ts'
import { describeTarget } from './describe-target.ts'
import { extentIn, tooLarge } from './descriptions.ts'
import { creatable } from './roles.ts'
import type { TargetAdmins } from './target-admin.ts'

/** The result of one check of a target, and the next thing to do when it is not ok. */
export type Finding = {
  readonly profile: string
  readonly check: string
  readonly status: 'ok' | 'warning' | 'failed'
  readonly detail: string
  readonly next: string | null
}

/** Checks a target against its profile: reachable with its TLS and secret, with its roles, and no stronger than meant. */
export async function checkTarget(profile: Profile, admins: TargetAdmins): Promise<Finding[]> {
  const say = (
    status: Finding['status'],
    check: string,
    detail: string,
    next: string | null = null,
  ): Finding => ({ profile: profile.name, check, status, detail, next })
  const where = `${profile.host}:${profile.port}/${profile.database}`
  try {
    return await admins.on(profile, async (client) => {
      const { rows: server } = await client.query<{
        version: string
        user: string
        encoding: string
      }>(
        `SELECT current_setting('server_version') AS version, current_user AS user,
                current_setting('server_encoding') AS encoding`,
      )
      const encoding = server[0]?.encoding ?? ''
      const user = server[0]?.user ?? ''
      const lent = [...new Set(profile.raised.flatMap(({ roles }) => roles))]
      const owner = profile.ownerRole === null ? [] : [profile.ownerRole]
      const wanted = [...new Set([...profile.baseRoles, ...owner, ...lent])]
      const there = new Set(
        (await client.query<{ name: string }>(presentRoles, [wanted])).rows.map(({ name }) => name),
      )
      const missing = wanted.filter((name) => !there.has(name))
      const { rows: grantable } = await client.query<{ name: string }>(grantedRoles, [wanted])
      const given = new Set(grantable.map(({ name }) => name))
      const ungrantable = wanted.filter((name) => there.has(name) && !given.has(name))
      const { rows: strong } = await client.query<{ name: string; what: string }>(strength, [
        profile.baseRoles,
        [...owner, ...lent].filter((name) => !profile.baseRoles.includes(name)),
      ])
      const base = profile.baseRoles.filter((name) => there.has(name))
      const danger = profile.mayCreate ? null : await creatable(client, base)
      const description = await describeTarget(client, profile)
      const problem = await tooLarge(description)
      const { rows: others } = await client.query<{ name: string }>(otherLogins, [profile.database])
      return [
        say('ok', 'reachable', `${where}, PostgreSQL ${server[0]?.version ?? '?'}, as ${user}`),
        ...(NAMED_ALIKE_IN.has(encoding)
          ? []
          : [
              say(
                'failed',
                'encoding',
                `no session opens: the encoding of the database is ${encoding}`,
                'Restore it into one in UTF8: createdb --encoding=UTF8.',
              ),
            ]),
        missing.length === 0
          ? say('ok', 'roles', `${wanted.join(', ')} are there`)
          : say(
              'failed',
              'roles',
              `there is no role ${missing.join(', ')}`,
              `Create it at the target, or correct the roles of the profile ${profile.name}.`,
            ),
        ...(ungrantable.length === 0
          ? []
          : [
              say(
                'failed',
                'grants',
                `${user} may not grant ${ungrantable.join(', ')}`,
                `At the target: GRANT ${ungrantable.join(', ')} TO ${user} WITH ADMIN TRUE, INHERIT FALSE.`,
              ),
            ]),
        strong.length === 0
          ? say('ok', 'base roles', 'they have nothing that needs an approval')
          : say(
              'warning',
              'base roles',
              strong.map(({ name, what }) => `${name} ${what}`).join('; '),
              'Take it away from the base role: what it may do, a session may do without an approval if policy errs.',
            ),
        ...(danger === null
          ? []
          : [
              say(
                'failed',
                'rights to create',
                `no session opens: ${danger}`,
                'Run that at the target, or say mayCreate: true in the profile.',
              ),
            ]),
        problem === null
          ? say('ok', 'description', extentIn(description))
          : say(
              'failed',
              'description',
              `no session opens: ${problem.message}`,
              problem.hint ?? null,
            ),
        others.length === 0
          ? say('ok', 'direct logins', 'nobody else may log in to the database')
          : say(
              'warning',
              'direct logins',
              `past Countersign may log in: ${others.map(({ name }) => name).join(', ')}`,
              `At the target: REVOKE CONNECT ON DATABASE … FROM PUBLIC, or ALTER ROLE … NOLOGIN; see pg_hba.conf too.`,
            ),
      ]
    })
  } catch (thrown) {
    const problem = thrown instanceof Problem ? thrown : null
    return [
      say(
        'failed',
        checkOf(messageOf(thrown)),
        messageOf(thrown),
        nextOf(problem, messageOf(thrown), profile),
      ),
    ]
  }
}

/** The check that an error on the way to the target belongs to. */
const checkOf = (message: string): string =>
  TROUBLES.find(([, pattern]) => pattern.test(message))?.[0] ?? 'reachable'

function nextOf(
  problem: Problem | null,
  message: string,
  { database, adminSecret }: Profile,
): string {
  switch (checkOf(message)) {
    case 'database':
      return `Create the database ${database}, or correct postgres.database of the profile.`
    case 'secret':
      return problem?.hint ?? `Put the right user and password into ${adminSecret} of the broker.`
    case 'TLS':
      return 'Give the certificate authority of the target in CS_TARGET_CA_FILE, or correct the host name or postgres.tls.'
    default:
      return problem?.hint ?? 'Check that the target runs, and host and port of the profile.'
  }
}

/** The checks by the words of errors of PostgreSQL and OpenSSL, in English: the broker sets no other language. */
const TROUBLES: readonly (readonly [string, RegExp])[] = [
  ['secret', /admin secret|password authentication failed|role ".*" does not exist|SASL/],
  ['database', /database ".*" does not exist|permission denied for database/],
  ['TLS', /certificate|self-signed|SSL|TLS|altnames/i],
]
