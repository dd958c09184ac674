import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { messageOf, Problem } from '@countersign/kernel'
import type { Context } from '../context.ts'
import { answerOf, opened } from '../http.ts'
import { HOME } from '../invocation.ts'
import { json } from '../json.ts'
import { localFindings } from '../local-checks.ts'
import { oneLine } from '../printable.ts'
import { type Finding, findingsText, settingsOfService, targetFindings } from '../target-checks.ts'
import { span } from '../time.ts'

type Check = { readonly name: string; readonly next: string; run(): Promise<string> }

/**
 * Checks everything: what the command line needs, every part of a local instance, and each target that a profile names.
 * Says what to do about each failed check. A warning leaves the status 0.
 */
export async function doctor(context: Context): Promise<number> {
  const checks = checksOf(context)
  const findings = [
    ...(await Promise.all(checks.map(foundBy))),
    ...(await maskingFindings(context)),
    ...(await localFindings(context)),
    ...(await targets(context)),
  ]
  const isWell = findings.every(({ status }) => status !== 'failed')
  const shown = findings.map((each) => ({ ...each, ok: each.status !== 'failed' }))
  context.print({ ok: isWell, checks: shown }, () => findingsText(oneAdvice(findings), context))
  return isWell ? 0 : 1
}

/** If neither console nor replay runs, the system is stopped: the advice for that cures the other failures too. */
function oneAdvice(findings: readonly Finding[]): readonly Finding[] {
  const isDown = ({ check, status }: Finding): boolean =>
    status === 'failed' && (check === 'console' || check === 'replay')
  if (findings.filter(isDown).length < 2) return findings
  return findings.map((each) =>
    each.status === 'failed' && !OF_THEIR_OWN.has(each.check)
      ? { ...each, next: 'First see to the console, as said there.' }
      : each,
  )
}

/** Reports environments without masking rules. A console that cannot be asked is reported by its own check. */
async function maskingFindings(context: Context): Promise<readonly Finding[]> {
  const check = 'masking rules'
  const profiles = await answered(context).catch(() => [])
  const known = profiles.filter((each) => json.member(each, 'maskingRules') !== undefined)
  const bare = known.filter((each) => json.member(each, 'maskingRules') === null)
  const environments = Map.groupBy(bare, (each) => oneLine(json.text(each, 'environment')))
  if (known.length === 0) return []
  if (bare.length === 0)
    return [{ check, status: 'ok', detail: 'each environment has some', next: null }]
  return [...environments].map(([environment, of]) => {
    const names = of.map((each) => oneLine(json.text(each, 'name'))).join(', ')
    return {
      check,
      status: 'warning',
      detail: `none are for environment ${environment} (${names}): everything is masked there`,
      next: `Apply MaskingRules with environments: [${environment}], or with none for everywhere.`,
    }
  })

  async function answered({ consoleUrl, token }: Context): Promise<readonly unknown[]> {
    const url = `${consoleUrl()}/v1/profiles`
    return json.list(await answerOf({ url, token: await token() }), 'profiles')
  }
}

async function targets(context: Context): Promise<readonly Finding[]> {
  if (settingsOfService(context, 'credential-broker') === null) return []
  try {
    return await targetFindings(context, null)
  } catch (thrown) {
    const next = 'See to Kafka and the broker first; then the targets are looked at.'
    return [{ check: 'targets', status: 'failed', detail: oneLine(messageOf(thrown)), next }]
  }
}

function checksOf(context: Context): readonly Check[] {
  const { settings, io } = context
  const restart = `Start it with \`npm run up\` in ${HOME}, or correct the address.`
  return [
    { name: 'console', next: restart, run: () => reached(`${context.consoleUrl()}/v1/profiles`) },
    { name: 'replay', next: restart, run: () => reached(`${context.replayUrl()}/v1/sessions`) },
    {
      name: 'identity provider',
      next: 'Give its address with --issuer or CS_OIDC_ISSUER, and see that it runs.',
      run: async () => {
        if (settings.issuer === null) throw new Error('its address is not known')
        const url = `${settings.issuer}/.well-known/openid-configuration`
        const found = json.textOrNull(await answerOf({ url, token: null }), 'issuer')
        if (found !== settings.issuer)
          throw new Error(`it calls itself ${oneLine(found ?? 'nothing')}`)
        return settings.issuer
      },
    },
    {
      name: 'token',
      next: 'Get a new one: --as <name>, --token or CS_TOKEN.',
      run: async () => {
        await answerOf({ url: `${context.consoleUrl()}/v1/profiles`, token: await context.token() })
        return 'the console accepts it'
      },
    },
    ...(['console', 'replay'] as const).map((name) => ({
      name: `clock of ${name}`,
      next: 'Set the clocks of both machines; tokens and deadlines depend on them.',
      run: async () => {
        const base = name === 'console' ? context.consoleUrl() : context.replayUrl()
        const response = await opened({ url: `${base}/v1/profiles`, token: null })
        await response.body?.cancel()
        const apartMs = Math.abs(Date.parse(response.headers.get('date') ?? '') - io.nowMs())
        if (!(apartMs <= APART_MS_MAX)) throw new Error(`it is ${span(apartMs)} apart from ours`)
        return 'it agrees with ours'
      },
    })),
    {
      name: 'psql',
      next: 'Install a PostgreSQL client; any driver works as well.',
      run: async () => (await promisify(execFile)('psql', ['--version'])).stdout.trim(),
    },
  ]
}

async function foundBy({ name, next, run }: Check): Promise<Finding> {
  try {
    return { check: name, status: 'ok', detail: await run(), next: null }
  } catch (thrown) {
    const hint =
      thrown instanceof Problem && thrown.code === 'CS_CONFIG_INVALID' ? thrown.hint : null
    return { check: name, status: 'failed', detail: oneLine(messageOf(thrown)), next: hint ?? next }
  }
}

/** Any answer of the API below status 500 will do, also that a token is needed. */
async function reached(url: string): Promise<string> {
  const response = await opened({ url, token: null, limitMs: 5_000 })
  await response.body?.cancel()
  if (response.status >= 500) throw new Error(`${new URL(url).origin} answers ${response.status}`)
  return new URL(url).origin
}

/** The checks that may fail for a reason of their own while the system is stopped. */
const OF_THEIR_OWN: ReadonlySet<string> = new Set(['console', 'identity provider', 'psql'])
/** The Date header has whole seconds, and tokens have a leeway of their own. */
const APART_MS_MAX = 30_000
