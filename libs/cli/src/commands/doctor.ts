import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { messageOf, Problem } from '@countersign/kernel'
import type { Context } from '../context.ts'
import { answerOf, opened } from '../http.ts'
import { json } from '../json.ts'
import { oneLine } from '../printable.ts'
import { span } from '../time.ts'

type Finding = {
  readonly check: string
  readonly ok: boolean
  readonly detail: string
  readonly next: string | null
}
type Check = { readonly name: string; readonly next: string; run(): Promise<string> }

/** Looks at everything that the command line needs, and says what to do about what is missing. */
export async function doctor(context: Context): Promise<number> {
  const findings: Finding[] = []
  for (const check of checksOf(context)) findings.push(await foundBy(check))
  const isWell = findings.every(({ ok }) => ok)
  context.print({ ok: isWell, checks: findings }, () =>
    findings
      .map(({ check, ok, detail, next }) => {
        const state = context.paint(ok ? 'green' : 'red', ok ? 'ok    ' : 'failed')
        return `${state}  ${check.padEnd(18)}  ${detail}\n${next === null ? '' : `        next: ${next}\n`}`
      })
      .join(''),
  )
  return isWell ? 0 : 1
}

function checksOf(context: Context): readonly Check[] {
  const { settings, io } = context
  const restart = 'Start it with `npm run up`, or correct the address.'
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
    {
      name: 'clock',
      next: 'Set the clock of this machine; tokens and deadlines depend on it.',
      run: async () => {
        const response = await opened({ url: `${context.consoleUrl()}/v1/profiles`, token: null })
        await response.body?.cancel()
        const apartMs = Math.abs(Date.parse(response.headers.get('date') ?? '') - io.nowMs())
        if (!(apartMs <= APART_MS_MAX))
          throw new Error(`it is ${span(apartMs)} apart from that of the console`)
        return 'it agrees with that of the console'
      },
    },
    {
      name: 'psql',
      next: 'Install a PostgreSQL client; any driver works as well.',
      run: async () => (await promisify(execFile)('psql', ['--version'])).stdout.trim(),
    },
  ]
}

async function foundBy({ name, next, run }: Check): Promise<Finding> {
  try {
    return { check: name, ok: true, detail: await run(), next: null }
  } catch (thrown) {
    const hint =
      thrown instanceof Problem && thrown.code === 'CS_CONFIG_INVALID' ? thrown.hint : null
    return { check: name, ok: false, detail: oneLine(messageOf(thrown)), next: hint ?? next }
  }
}

/** Any answer of the API will do, also that a token is needed. */
async function reached(url: string): Promise<string> {
  const response = await opened({ url, token: null, limitMs: 5_000 })
  await response.body?.cancel()
  if (response.status >= 500) throw new Error(`${new URL(url).origin} answers ${response.status}`)
  return new URL(url).origin
}

/** The Date header has whole seconds, and tokens have a leeway of their own. */
const APART_MS_MAX = 30_000
