import { X509Certificate } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { messageOf } from '@countersign/kernel'
import type { Context } from './context.ts'
import { answerOf, ask } from './http.ts'
import { HOME } from './invocation.ts'
import { json } from './json.ts'
import { stuckRevocations } from './stuck-revocations.ts'
import { span } from './time.ts'
import { type Finding, settingsOfService } from './target-checks.ts'

/** Looks at every part of the local instance: each service, Kafka, the port for agents, certificates. */
export async function localFindings(context: Context): Promise<readonly Finding[]> {
  const { file, instance } = context.settings
  if (file === null) return []
  const dir = dirname(file)
  const services = readdirSync(dir)
    .flatMap((name) => /^([a-z-]+)\.env$/.exec(name)?.[1] ?? [])
    .sort()
  const up = `Start the instance: \`npm run up${instance === 'demo' ? '' : ` -- --instance ${instance}`}\` in ${HOME}.`
  return [
    ...(await Promise.all(services.map((service) => serviceFinding(context, service, dir)))),
    ...(await revocationFindings(context)),
    await kafkaFinding(context, up),
    await agentPortFinding(context, up),
    ...certificateFindings(join(dir, 'tls'), context.io.nowMs()),
  ]
}

async function serviceFinding(context: Context, service: string, dir: string): Promise<Finding> {
  const port = settingsOfService(context, service)?.['CS_HEALTH_PORT'] ?? ''
  const log = join(dir, 'logs', `${service}.log`)
  const instance =
    context.settings.instance === 'demo' ? '' : `CS_INSTANCE=${context.settings.instance} `
  const next = `See ${log}; start it alone with \`${instance}npm start\` in ${join(HOME, 'services', service)}.`
  try {
    const { status, body } = await ask({
      url: `http://127.0.0.1:${port}/readyz`,
      token: null,
      limitMs: 5_000,
    })
    if (status === 200)
      return { check: service, status: 'ok', detail: `ready, on ${port}`, next: null }
    const failing = json.texts(body, 'failing').join(', ')
    return {
      check: service,
      status: 'failed',
      detail: `not ready: ${failing}`,
      next: `See ${log}.`,
    }
  } catch (thrown) {
    return {
      check: service,
      status: 'failed',
      detail: `it does not answer: ${messageOf(thrown)}`,
      next,
    }
  }
}

/** The revocations that do not succeed. A broker that does not answer is reported with the services. */
async function revocationFindings(context: Context): Promise<readonly Finding[]> {
  const port = settingsOfService(context, 'credential-broker')?.['CS_HEALTH_PORT'] ?? ''
  if (port === '') return []
  const url = `http://127.0.0.1:${port}/revocations`
  const report = answerOf({ url, token: null, limitMs: 5_000 })
  return report.then(
    (found) => stuckRevocations(found, context.io.nowMs()),
    () => [],
  )
}

async function kafkaFinding(context: Context, next: string): Promise<Finding> {
  const brokers = settingsOfService(context, 'credential-broker')?.['KAFKA_BROKERS'] ?? ''
  for (const broker of brokers.split(',')) {
    const [host = '', port = ''] = broker.split(':')
    if (await answers(host, Number(port), null))
      return { check: 'kafka', status: 'ok', detail: `listens on ${broker}`, next: null }
  }
  return { check: 'kafka', status: 'failed', detail: `nothing listens on ${brokers}`, next }
}

/** Checks that an agent would be answered: a request for TLS (PostgreSQL protocol, SSLRequest) gets an `S`. */
async function agentPortFinding(context: Context, next: string): Promise<Finding> {
  const port = Number(settingsOfService(context, 'proxy')?.['CS_POSTGRES_PORT'])
  const isThere = await answers('127.0.0.1', port, SSL_REQUEST)
  return isThere
    ? { check: 'port for agents', status: 'ok', detail: `TLS on ${port}`, next: null }
    : { check: 'port for agents', status: 'failed', detail: `no TLS is offered on ${port}`, next }
}

function answers(host: string, port: number, sent: Buffer | null): Promise<boolean> {
  return new Promise((resolve) => {
    if (!Number.isInteger(port)) return resolve(false)
    const socket = connect({ host, port, timeout: 3_000 })
    const done = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => (sent === null ? done(true) : socket.write(sent)))
    socket.once('data', (chunk) => done(chunk[0] === 'S'.charCodeAt(0)))
    socket.once('error', () => done(false))
    socket.once('close', () => done(false))
    socket.once('timeout', () => done(false))
  })
}

function certificateFindings(dir: string, nowMs: number): readonly Finding[] {
  const anew =
    'Make new ones: `npm run up -- --fresh` (this deletes the data), or put your own there.'
  const caFile = join(dir, 'ca.crt')
  if (!existsSync(caFile)) return []
  const ca = new X509Certificate(readFileSync(caFile))
  return ['ca', 'proxy', 'postgres'].flatMap((name): Finding[] => {
    const file = join(dir, `${name}.crt`)
    if (!existsSync(file)) return []
    const check = `certificate ${name}`
    const failed = (detail: string): Finding[] => [{ check, status: 'failed', detail, next: anew }]
    const certificate = new X509Certificate(readFileSync(file))
    const leftMs = Date.parse(certificate.validTo) - nowMs
    if (Date.parse(certificate.validFrom) > nowMs)
      return failed(`it is valid from ${certificate.validFrom} only; see the clock`)
    if (leftMs < 0) return failed(`it ended at ${certificate.validTo}`)
    if (!certificate.verify(ca.publicKey))
      return failed('it is not signed by the authority beside it')
    const status = leftMs < SOON_MS ? 'warning' : 'ok'
    return [
      { check, status, detail: `valid for ${span(leftMs)}`, next: status === 'ok' ? null : anew },
    ]
  })
}

const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f])
const SOON_MS = 14 * 86_400_000
