import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { digestOf, encodeSubject } from '@countersign/contracts'
import { SessionId } from '@countersign/kernel'
import type { Io } from './io.ts'
import { run } from './run.ts'

const ID = '01890000-0000-7000-8000-00000000abcd'
const HIDDEN = '01890000-0000-7000-8000-00000000ffff'
const SESSION = '01890000-0000-7000-8000-000000001234'
const EXACT = `GET /v1/sessions/${SESSION}/requests/${ID}`
const VOTE = `POST /v1/requests/${ID}/countersign`
const TEXT = "update orders set note = 'x\u001b[2J' where id > 7 -- \u{e0041}"
const SUBJECT = {
  protocol: 'Postgres' as const,
  kind: 'Execute' as const,
  text: Buffer.from(TEXT),
  parameterTypes: [25],
  valueTypes: [],
  executes: [],
  parameterFormats: [0, 1, 0],
  parameters: [Buffer.from("it's\nlate"), Buffer.from([0, 1]), null],
  resultFormats: [],
  rowsMax: 0,
  sessionId: SessionId(SESSION),
  agent: 'ci-deploy',
  target: 'shop-prod',
  baseRoles: [],
  stateVersion: 0,
  policyVersion: '',
  salt: Buffer.alloc(16),
  settings: [],
  copyData: null,
}
const subject = encodeSubject(SUBJECT)
const digest = digestOf(subject)
/** Characters that move a cursor, turn the direction of writing, or are not seen. */
const DANGEROUS = /(?![\t\n])[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/u
/** Nothing listens on this port, and fetch calls it. */
const DEAD = 'http://127.0.0.1:2'
const RESULT = { columns: ['c'], rows: [['v']], tag: 'SELECT 1' }
const base64 = (bytes: Buffer): string => bytes.toString('base64')

type Reply = { status?: number; body: unknown; type?: string }
type Seen = { method: string; path: string; authorization: string | undefined; body: unknown }

describe('the command line', () => {
  let server: Server
  let base = ''
  let folder = ''
  let seen: Seen[] = []
  let replies: Record<string, Reply> = {}

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'countersign-cli-'))
    mkdirSync(join(folder, 'catalog', 'sub'), { recursive: true })
    writeFileSync(join(folder, 'catalog', 'a.yaml'), 'kind: Chain')
    writeFileSync(
      join(folder, 'catalog', 'sub', 'b.cedar'),
      'forbid (principal, action, resource);',
    )
    writeFileSync(join(folder, 'catalog', 'notes.txt'), 'not sent')
    server = createServer((request, response) => {
      void (async () => {
        const { method = '', url = '' } = request
        seen.push({
          method,
          path: url,
          authorization: request.headers.authorization,
          body: await bodyOf(request),
        })
        const reply = replies[`${method} ${url}`] ?? {
          status: 404,
          body: { code: 'CS_NOT_FOUND', detail: 'Nothing.' },
        }
        response.writeHead(reply.status ?? 200, {
          'content-type': reply.type ?? 'application/json',
        })
        response.end(typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body))
      })()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    // A server that listens on TCP has an address with a port.
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  beforeEach(() => {
    seen = []
    replies = {
      'GET /v1/requests?status=pending': { body: { requests: [request] } },
      'GET /v1/requests?status=all': { body: { requests: [request] } },
      [`GET /v1/requests/${ID}`]: { body: request },
      [EXACT]: { body: { requestId: ID, sessionId: SESSION, digest, subject: base64(subject) } },
    }
  })
  after(() => {
    server.closeAllConnections()
    server.close()
    rmSync(folder, { recursive: true })
  })

  it('lists what waits, safely', async () => {
    const { status, out } = await cli('requests')
    assert.equal(status, 0)
    assert.match(out, /^REQUEST +STATUS +WHO/)
    assert.match(
      out,
      /0000abcd +pending +ci-deploy for maria +shop-prod +prod-reviewers +\S.* changes \\u001b\[2J orders\n/,
    )
    assert.equal(seen[0]?.authorization, 'Bearer t0ken')
  })

  it('prints JSON as the server wrote it, wherever the option stands', async () => {
    assert.deepEqual(JSON.parse((await cli('requests', '--json')).out), { requests: [request] })
    const { exact, ...rest } = JSON.parse((await cli('--json', 'show', ID)).out)
    assert.deepEqual(rest, request)
    assert.deepEqual(exact, {
      status: 'seen',
      kind: 'Execute',
      text: TEXT,
      parameters: [
        { type: 25, typeName: 'text', format: 'text', value: "it's\nlate", isRead: true },
        { type: 0, typeName: null, format: 'binary', value: '\\x0001', isRead: false },
        { type: 0, typeName: null, format: 'text', value: null, isRead: true },
      ],
      rendered: null,
      rowsMax: 0,
      settings: [],
      copyData: null,
      executes: [],
    })
  })

  it('shows a request by the end of its id', async () => {
    const { status, out } = await cli('show', 'abcd')
    assert.equal(status, 0)
    assert.match(out, /rendering +UPDATE orders SET note = \?/)
    assert.match(out, /prod-change +dba +current +any one +prod-reviewers +–/)
  })

  it('shows the statement and the parameters to the byte, harmless for the terminal', async () => {
    for (const words of [
      ['show', ID],
      ['requests', ID],
      ['approve', ID, '--yes'],
    ]) {
      const { out } = await cli(...words)
      assert.match(out, /Execute, 53 bytes; the digest is of this:/, words[0])
      assert.match(out, /^ {4}update orders set note = 'x\\u001b\[2J' where id > 7 -- \\u{e0041}$/m)
      assert.match(out, /^ {4}\$1 text = 'it's\\nlate'$/m)
      assert.match(out, /^ {4}\$2 binary, its bytes = '\\x0001'\n {4}\$3 = NULL$/m)
    }
  })

  it('countersigns exactly what it showed', async () => {
    replies[VOTE] = { body: { status: 'granted', request } }
    const { status, out } = await cli('approve', 'abcd', '--yes')
    assert.equal(status, 0)
    assert.match(out, /where id > 7[\s\S]*granted/)
    assert.deepEqual(seen.at(-1)?.body, { digest })
  })

  it('asks the person at the terminal, after it showed what is voted on', async () => {
    replies[VOTE] = { body: { status: 'granted', request } }
    const asked: string[] = []
    const answering = (answer: string) => (question: string) => {
      asked.push(question)
      return Promise.resolve(answer)
    }
    for (const answer of ['', 'n', 'yess']) {
      const { status, out } = await cliWith(ENV(), ['approve', ID], answering(answer))
      assert.equal(status, 1, answer)
      assert.match(out, /where id > 7[\s\S]*No vote was given/)
    }
    assert.deepEqual(
      seen.filter(({ method }) => method === 'POST'),
      [],
    )
    assert.equal((await cliWith(ENV(), ['approve', ID], answering('y'))).status, 0)
    assert.equal((await cliWith(ENV(), ['approve', ID, '--yes'], answering('n'))).status, 0)
    assert.equal(asked.length, 4)
  })

  it('gives no vote on what it cannot show, unless that is said', async () => {
    replies[VOTE] = { body: { status: 'granted', request } }
    for (const reply of [
      { status: 404, body: { code: 'CS_NOT_FOUND', detail: 'Nothing.' } },
      { body: { requestId: ID, digest, subject: null } },
    ]) {
      replies[EXACT] = reply
      const refused = await cli('approve', ID)
      assert.equal(refused.status, 1)
      assert.match(refused.out, /THE EXACT STATEMENT CANNOT BE SHOWN/)
      assert.match(refused.err, /no vote was given.*\nnext: .*--unseen/)
      assert.ok(seen.every(({ method }) => method === 'GET'))
    }
    assert.equal((await cli('approve', ID, '--unseen', '--yes')).status, 0)
  })

  it('gives no vote when the digest is not of what replay has, whatever is said', async () => {
    const other = encodeSubject({ ...SUBJECT, text: Buffer.from('drop table orders') })
    replies[EXACT] = { body: { requestId: ID, digest, subject: base64(other) } }
    const { status, out, err } = await cli('approve', ID, '--unseen', '--yes')
    assert.equal(status, 1)
    assert.match(out, /THE EXACT STATEMENT IS NOT WHAT WAITS/)
    assert.match(err, /CS_GRANT_MISMATCH: no vote was given/)
    assert.ok(seen.every(({ method }) => method === 'GET'))
  })

  it('sends a vote on a request that it may not read, so that the refusal is on record', async () => {
    replies[`POST /v1/requests/${HIDDEN}/countersign`] = {
      status: 403,
      body: {
        code: 'CS_REVIEW_REFUSED',
        detail: 'This person reviews staging, not prod.',
        reason: 'WrongEnvironment',
      },
    }
    const refused = await cli('approve', HIDDEN, '--yes')
    assert.deepEqual([refused.status, refused.out], [1, ''])
    assert.equal(refused.err, 'CS_REVIEW_REFUSED: This person reviews staging, not prod.\n')
    const asJson = await cli('approve', HIDDEN, '--json', '--yes')
    assert.equal(asJson.status, 1)
    assert.match(asJson.out, /"reason": "WrongEnvironment"/)
  })

  it('fails while a vote is not counted, and says what to do', async () => {
    replies[`POST /v1/requests/${ID}/deny`] = {
      status: 202,
      body: { status: 'waiting', reviewId: 'r' },
    }
    const { status, out } = await cli('deny', ID, '--words', 'not on a Friday')
    assert.equal(status, 1)
    assert.match(out, /Next: countersign show/)
    assert.deepEqual(seen.at(-1)?.body, { words: 'not on a Friday' })
  })

  it('ends with 2 when it is not understood, and with 0 for help', async () => {
    for (const words of [
      ['nonsense'],
      ['deny', ID],
      ['requests', '--nonsense'],
      ['replay', SESSION, '--rows', 'x'],
      [],
    ]) {
      const { status, err } = await cli(...words)
      assert.equal(status, 2, words.join(' '))
      assert.notEqual(err, '')
    }
    assert.equal((await cli('--help')).status, 0)
    assert.match(
      (await cli('approve', '--help')).out,
      /countersign requests, each after it was shown/,
    )
  })

  it('says what to do when nobody said who calls, or where', async () => {
    const nobody = await cliWith({ CS_CONSOLE_URL: base }, ['requests'])
    assert.deepEqual([nobody.status, nobody.err.includes('next: Give a token')], [1, true])
    const nowhere = await cliWith({ CS_TOKEN: 't0ken' }, ['requests'])
    assert.deepEqual(
      [nowhere.status, nowhere.err.includes('--console-url or CS_CONSOLE_URL')],
      [1, true],
    )
    const away = await cliWith({ CS_TOKEN: 't', CS_CONSOLE_URL: 'http://127.0.0.1:1' }, [
      'requests',
    ])
    assert.deepEqual([away.status, away.err.includes('cannot be reached')], [1, true])
  })

  it('takes the token of a name only from a development identity provider', async () => {
    const discovery = 'GET /.well-known/openid-configuration'
    replies[discovery] = {
      body: {
        issuer: base,
        token_endpoint: `${base}/token`,
        grant_types_supported: ['authorization_code'],
      },
    }
    const strict = await cli('token', '--as', 'ana')
    assert.equal(strict.status, 1)
    assert.match(strict.err, /does not give tokens for a name\.?\nnext: Get a token/)
    assert.equal(seen.length, 1)
    replies[discovery] = {
      body: { issuer: base, token_endpoint: `${base}/token`, grant_types_supported: ['password'] },
    }
    replies['POST /token'] = { body: { access_token: 'of-ana' } }
    assert.equal((await cli('token', '--as', 'ana')).out, 'of-ana\n')
    assert.match(String(seen.at(-1)?.body), /grant_type=password&username=ana/)
  })

  it('applies a folder with the values that it is given', async () => {
    replies['PUT /v1/catalog'] = {
      body: {
        changes: [{ kind: 'ChainDefined', name: 'prod-change', change: 'added' }],
        warnings: [{ file: 'sub/b.cedar', line: 1, message: 'its reviewers are of prod' }],
      },
    }
    const { status, out, err } = await cli(
      'apply',
      '-f',
      'catalog',
      '--set',
      'PORT=1',
      '--set',
      'HOST=h',
    )
    assert.equal(status, 0)
    assert.match(out, /Chain +prod-change +added/)
    assert.equal(err, 'sub/b.cedar:1: warning: its reviewers are of prod\n')
    assert.deepEqual(seen.at(-1)?.body, {
      files: [
        { name: 'a.yaml', text: 'kind: Chain' },
        { name: 'sub/b.cedar', text: 'forbid (principal, action, resource);' },
      ],
      variables: { PORT: '1', HOST: 'h' },
    })
  })

  it('says what is in force and not in the files, and removes it with --prune', async () => {
    const left = { kind: 'PolicySetDefined', name: 'old', version: 'v' }
    replies['PUT /v1/catalog'] = { body: { changes: [], warnings: [], unmentioned: [left] } }
    const named = await cli('apply', '-f', 'catalog')
    assert.match(
      named.out,
      /^1 more in force, but not in these files; --prune removes it:\n.*\nPolicySet +old\n/m,
    )
    const unmentioned = Array<unknown>(6).fill(left)
    replies['PUT /v1/catalog'] = { body: { changes: [], warnings: [], unmentioned } }
    const counted = await cli('apply', '-f', 'catalog')
    assert.match(
      counted.out,
      /^6 more in force.*`countersign catalog list` shows all.*removes it\.$/m,
    )
    assert.doesNotMatch(counted.out, /PolicySet/)
    const removed = [{ ...left, change: 'removed' }]
    replies['PUT /v1/catalog'] = { body: { changes: removed, warnings: [], unmentioned: [] } }
    const pruned = await cli('apply', '-f', 'catalog', '--prune', '--yes')
    assert.match(pruned.out, /PolicySet +old +removed\n$/)
    assert.partialDeepStrictEqual(seen.at(-1)?.body, { prune: true })
  })

  it('names file and line of what is wrong in a catalog', async () => {
    const problems = [{ file: 'a.yaml', line: 3, message: 'unknown kind' }]
    replies['PUT /v1/catalog'] = {
      status: 422,
      body: { code: 'CS_CATALOG_INVALID', detail: 'Nothing was applied.', problems },
    }
    const { status, err } = await cli('apply', '-f', 'catalog')
    assert.deepEqual([status, err], [1, 'a.yaml:3: unknown kind\nNothing was applied.\n'])
    const missing = await cli('apply', '-f', 'nowhere')
    assert.deepEqual([missing.status, missing.err.includes('cannot read')], [1, true])
  })

  it('replays a session, and follows it until it ends', async () => {
    const opened = { at: '2026-01-01T00:00:00.000Z', kind: 'opened' }
    const held = { at: '2026-01-01T00:00:02.000Z', kind: 'held', detail: 'prod-change' }
    const ended = { at: '2026-01-01T00:00:03.000Z', kind: 'ended', detail: 'ClientTerminated' }
    const session = {
      sessionId: SESSION,
      agent: 'ci-deploy',
      behalfOf: 'maria',
      profile: 'shop-prod',
      environment: 'prod',
    }
    replies['GET /v1/sessions'] = {
      body: [{ ...session, startedAt: opened.at, endedAt: null, requests: 2 }],
    }
    replies[`GET /v1/sessions/${SESSION}`] = {
      body: { ...session, complete: false, timeline: [opened] },
    }
    replies[`GET /v1/sessions/${SESSION}/live`] = {
      type: 'text/event-stream',
      body: [opened, held, ended, held]
        .map((entry) => `data: ${JSON.stringify(entry)}\n\n`)
        .join(''),
    }
    const { status, out } = await cli('replay', '1234', '--follow')
    assert.equal(status, 0)
    assert.match(out, /ci-deploy for maria → shop-prod \(prod\)/)
    const kinds = out.split('\n').flatMap((line) => /\+\S+ +(\S+)/.exec(line)?.[1] ?? [])
    assert.deepEqual(kinds, ['opened', 'held', 'ended'])
    assert.match((await cli('sessions')).out, /00001234 +ci-deploy +maria +shop-prod .* 2 +live/)
  })

  // Seen to fail when the end of the stream is taken for the end of the session.
  it('takes a stream for whole only where its last event says so', async () => {
    const entry = { at: '2026-01-01T00:00:00.000Z', kind: 'opened' }
    replies[`GET /v1/sessions/${SESSION}`] = {
      body: { sessionId: SESSION, complete: false, timeline: [] },
    }
    for (const [last, isWhole, words] of [
      [[{ over: 'session' }], true, /^$/],
      [[{ over: 'token' }], false, /CS_AUTH_EXPIRED: the token ran out/],
      [[], false, /cut off before its end/],
    ] as const) {
      replies[`GET /v1/sessions/${SESSION}/live`] = {
        type: 'text/event-stream',
        body: [entry, ...last].map((data) => `data: ${JSON.stringify(data)}\n\n`).join(''),
      }
      const { status, out, err } = await cli('replay', SESSION, '--follow')
      assert.equal(status === 0, isWhole)
      assert.match(out, /opened/)
      assert.match(err, words)
    }
  })

  it('replays a session that comes as lines, as text and as JSON', async () => {
    const head = { sessionId: SESSION, agent: 'ci-deploy', complete: true }
    const timeline = [
      { at: '2026-01-01T00:00:00.000Z', kind: 'opened' },
      { at: '2026-01-01T00:00:01.000Z', kind: 'request', internal: true },
      { at: '2026-01-01T00:00:02.000Z', kind: 'request', copyData: '1\n', whole: '/v1/whole' },
    ]
    replies[`GET /v1/sessions/${SESSION}`] = {
      type: 'application/x-ndjson',
      body: [head, ...timeline, { entries: 3 }].map((line) => `${JSON.stringify(line)}\n`).join(''),
    }
    const { out } = await cli('replay', SESSION)
    assert.match(out, /\+0\.000s {2}opened\n {4}\+2\.000s {2}request/)
    assert.match(out, /NOT ALL OF IT IS SHOWN: replay has it at \/v1\/whole/)
    const shown = [timeline[0], timeline[2]]
    assert.deepEqual(JSON.parse((await cli('replay', SESSION, '--json')).out), {
      ...head,
      timeline: shown,
    })
  })

  it('takes an answer without its end for none', async () => {
    for (const lines of [[], [{ sessionId: SESSION }]]) {
      replies[`GET /v1/sessions/${SESSION}`] = {
        type: 'application/x-ndjson',
        body: lines.map((line) => `${JSON.stringify(line)}\n`).join(''),
      }
      assert.notEqual((await cli('replay', SESSION)).status, 0)
    }
  })

  it('says that the end of a session is not known when its proxy was killed', async () => {
    replies[`GET /v1/sessions/${SESSION}`] = {
      body: { sessionId: SESSION, complete: true, cutShort: true, timeline: [] },
    }
    assert.match((await cli('replay', SESSION)).out, / cut short\n/)
  })

  it('finds what is wrong', async () => {
    const { status, out } = await cli('doctor')
    assert.equal(status, 1)
    assert.match(out, /ok +console/)
    assert.match(out, /failed +token .*\n +next: Get a new one/)
    assert.match(out, /ok +clock of console/)
  })

  it('warns of environments without masking rules, if the console says so', async () => {
    const profile = (name: string, environment: string, rules: object) => ({
      ...{ name, environment },
      ...rules,
    })
    const doctor = async (...profiles: object[]) => {
      replies['GET /v1/profiles'] = { body: { profiles } }
      return (await cli('doctor')).out
    }
    const covered = profile('shop', 'prod', { maskingRules: 'personal-data' })
    const bare = profile('inventory-prod', 'inventory', { maskingRules: null })
    assert.match(await doctor(covered), /ok +masking rules/)
    assert.match(
      await doctor(covered, bare, { ...bare, name: 'inventory-two' }),
      /warning +masking rules +none are for environment inventory \(inventory-prod, inventory-two\): everything is masked there\n +next: /,
    )
    // An older console says nothing of them.
    assert.doesNotMatch(await doctor(profile('shop', 'prod', {})), /masking rules/)
  })

  it('prints a warning once, however often the console is asked', async () => {
    const warnings = [{ file: 'a.yaml', line: 1, message: 'no masking rules' }]
    replies['PUT /v1/catalog'] = { body: { changes: [], warnings, unmentioned: [] } }
    const { err } = await cliWith(ENV(), ['apply', '-f', 'catalog', '--prune'], () =>
      Promise.resolve('y'),
    )
    assert.ok(seen.length > 1)
    assert.equal(err, 'a.yaml:1: warning: no masking rules\n')
  })

  it('calls a server that is down unavailable, whichever it is', async () => {
    const env = { ...ENV(), CS_CONSOLE_URL: DEAD, CS_REPLAY_URL: DEAD, CS_OIDC_ISSUER: DEAD }
    const { CS_TOKEN: _token, ...without } = env
    for (const [words, given] of [
      [['requests'], env],
      [['profiles'], env],
      [['apply', '-f', 'catalog'], env],
      [['sessions'], env],
      [['replay', SESSION], env],
      [['approve', ID, '--yes'], env],
      [['token', '--as', 'ana'], without],
    ] as const) {
      const run = await cliWith(given, [...words, '--json'])
      assert.equal(run.status, 1, words[0])
      assert.partialDeepStrictEqual(
        JSON.parse(run.out),
        {
          code: 'CS_SERVICE_UNAVAILABLE',
          type: 'urn:countersign:error:CS_SERVICE_UNAVAILABLE',
          title: 'A service of Countersign, or the identity provider, did not answer.',
        },
        words[0],
      )
    }
  })

  it('says what to do next about each check that fails, when nothing runs too', async () => {
    const env = { ...ENV(), CS_CONSOLE_URL: DEAD, CS_REPLAY_URL: DEAD, CS_OIDC_ISSUER: DEAD }
    const lines = (await cliWith(env, ['doctor'])).out.split('\n')
    const failed = lines.flatMap((line, index) => (line.startsWith('failed') ? [index] : []))
    assert.ok(failed.length >= 4)
    for (const index of failed) assert.match(lines[index + 1] ?? '', /^ +next: \S/, lines[index])
    for (const check of ['replay', 'identity provider', 'console'])
      assert.ok(
        failed.some((index) => lines[index]?.startsWith(`failed   ${check} `)),
        check,
      )
  })

  it('gives help about a command that there is, and about no other', async () => {
    for (const [words, says] of [
      [['help'], /^Usage: countersign \[options\] \[command\]/],
      [['help', 'apply'], /^Usage: countersign apply /],
      [['catalog', 'help', 'show'], /^Usage: countersign catalog show /],
      [['catalog', 'help'], /^Usage: countersign catalog /],
    ] as const) {
      const { status, out } = await cli(...words)
      assert.deepEqual([status, says.test(out)], [0, true], words.join(' '))
    }
    for (const words of [
      ['help', 'aply'],
      ['catalog', 'help', 'shwo'],
      ['help', 'nope'],
    ]) {
      const { status, out, err } = await cli(...words)
      assert.deepEqual([status, out], [2, ''], words.join(' '))
      assert.match(err, new RegExp(`unknown command '${words.at(-1)}'`))
      assert.match(err, words.includes('nope') ? /next: See/ : /Did you mean (apply|show)\?/)
    }
  })

  it('names the file of a folder that cannot be read', async () => {
    const place = join(folder, 'dangling')
    mkdirSync(place)
    symlinkSync(join(folder, 'not-there.yaml'), join(place, 'gone.yaml'))
    const { status, err } = await cli('apply', '-f', 'dangling')
    assert.equal(status, 1)
    assert.match(err, /cannot read \S+dangling\/gone\.yaml: it is not there/)
  })

  it('gives no vote where nobody can be asked, unless --yes says so', async () => {
    replies[VOTE] = { body: { status: 'granted', request } }
    for (const words of [
      ['approve', ID],
      ['approve', ID, '--json'],
      ['approve', HIDDEN],
    ]) {
      const { status, out, err } = await cli(...words)
      assert.equal(status, 1)
      assert.match(out + err, /--yes/)
    }
    assert.ok(seen.every(({ method }) => method === 'GET'))
  })

  it('takes several ids; one that fails keeps no other from its vote', async () => {
    replies[VOTE] = { body: { status: 'granted', request } }
    const ids = [HIDDEN, 'abcd', 'ffff']
    const { status, out, err } = await cli('approve', ...ids, '--yes')
    assert.equal(status, 1)
    assert.match(out, /granted/)
    assert.deepEqual(err.match(/^CS_NOT_FOUND/gm)?.length, 2)
    const answers: unknown = JSON.parse((await cli('approve', ...ids, '--yes', '--json')).out)
    assert.ok(Array.isArray(answers) && answers.length === 3)
    assert.partialDeepStrictEqual(answers, [
      { code: 'CS_NOT_FOUND' },
      { status: 'granted' },
      { code: 'CS_NOT_FOUND' },
    ])
  })

  it('says with --json what is wrong as problem details on stdout, and nothing else', async () => {
    for (const [words, code, status] of [
      [['show', HIDDEN], 'CS_NOT_FOUND', 1],
      [['nonsense'], 'CS_BAD_REQUEST', 2],
      [['requests', '--limit', '0'], 'CS_BAD_REQUEST', 2],
      [['apply', '-f', 'nowhere'], 'CS_BAD_REQUEST', 1],
    ] as const) {
      const run = await cli(...words, '--json')
      assert.deepEqual([run.status, run.err], [status, ''], words[0])
      assert.partialDeepStrictEqual(JSON.parse(run.out), {
        type: `urn:countersign:error:${code}`,
        code,
      })
    }
  })

  it('names the very line that works in what it says to do next', async () => {
    replies['GET /v1/requests?status=all'] = { body: { requests: [] } }
    const env = { ...ENV(), CS_INSTANCE: undefined }
    const { err } = await cliWith(
      env,
      ['show', 'beef', '--console-url', base],
      null,
      'npx countersign',
    )
    assert.match(
      err,
      new RegExp(`^next: See .npx countersign requests --all --console-url ${base}.,`, 'm'),
    )
  })

  it('asks for what is narrowed down', async () => {
    const path =
      'GET /v1/requests?status=denied&profile=p&agent=a&since=2026-01-01T00%3A00%3A00.000Z&limit=3'
    replies[path] = { body: { requests: [] } }
    const narrowed = ['--status', 'denied', '--profile', 'p', '--agent', 'a', '--limit', '3']
    const { status } = await cli('requests', ...narrowed, '--since', '2026-01-01')
    assert.equal(status, 0)
    assert.equal((await cli('requests', '--since', 'yesterday')).status, 2)
  })

  it('goes on watching: a line for each request that comes or changes', async () => {
    const first = 'GET /v1/requests?status=all'
    replies[first] = { body: { requests: [{ ...request, summary: 'one' }], etag: 'a' } }
    replies[`${first}&after=a&waitMs=20000`] = {
      body: { requests: [{ ...request, status: 'granted', signedBy: ['ana'] }], etag: 'b' },
    }
    const { status, out } = await cli('requests', '--watch')
    assert.equal(status, 1, 'the third answer is a refusal')
    const lines = out
      .split('\n')
      .flatMap((line) => /Z {2}(\S+) +(\S+)/.exec(line)?.slice(1, 3) ?? [])
    assert.deepEqual(lines, ['pending', ID, 'granted', ID])
  })

  it('shows what would change, and changes nothing', async () => {
    const change = { kind: 'ChainDefined', name: 'c', change: 'changed' }
    replies['PUT /v1/catalog'] = {
      body: { changes: [{ ...change, before: 'a\nb\nc\n', after: 'a\nB\nc\n' }] },
    }
    const { status, out } = await cli('apply', '-f', 'catalog', '--dry-run')
    assert.equal(status, 0)
    assert.match(out, /Chain\/c\n {4}a\n {2}- b\n {2}\+ B\n {4}c\n\nNothing was applied/)
    assert.partialDeepStrictEqual(seen.at(-1)?.body, { dryRun: true })
  })

  it('removes nothing that it did not show and ask about', async () => {
    const removed = [{ kind: 'PolicySetDefined', name: 'old', change: 'removed' }]
    replies['PUT /v1/catalog'] = { body: { changes: removed, catalogOffset: 7 } }
    const prune = ['apply', '-f', 'catalog', '--prune']
    assert.equal((await cli(...prune)).status, 1)
    const no = await cliWith(ENV(), prune, () => Promise.resolve('n'))
    assert.deepEqual([no.status, /PolicySet +old/.test(no.out)], [1, true])
    assert.ok(seen.every(({ body }) => Object(body).dryRun === true))
    assert.equal((await cliWith(ENV(), prune, () => Promise.resolve('y'))).status, 0)
    assert.partialDeepStrictEqual(seen.at(-1)?.body, { prune: true, expectedOffset: 7 })
  })

  it('completes commands, options, ids and names', async () => {
    replies['GET /v1/sessions'] = { body: { sessions: [{ sessionId: SESSION }] } }
    const completed = async (...words: string[]) =>
      (await cli('__complete', '--', ...words)).out.trim().split('\n')
    assert.deepEqual(await completed('appr'), ['approve'])
    assert.deepEqual(await completed('approve', '0189'), [ID])
    assert.deepEqual(await completed('--token', 't', 'replay', ''), [SESSION])
    assert.deepEqual(await completed('apply', '--pr'), ['--prune'])
    assert.deepEqual(await completed('catalog', 'ex'), ['export'])
    assert.deepEqual(await completed('completion', 'z'), ['zsh'])
    assert.deepEqual(await completed('token', '--as', 'ma'), ['maria'])
    assert.deepEqual(await completed('nonsense', 'x'), [''])
  })

  it('never writes what could move a cursor, whatever a server says in whichever field', async () => {
    const poison = 'x\u001b[2J\u009b2J\r\u202e\u0007\u{e0041}'
    const poisoned = (value: unknown): unknown =>
      typeof value === 'string'
        ? /^[0-9a-f-]{36}$|^\d{4}-|^[0-9a-f]{64}$/.test(value)
          ? value
          : `${value}${poison}`
        : Array.isArray(value)
          ? value.map(poisoned)
          : typeof value === 'object' && value !== null
            ? Object.fromEntries(
                Object.entries(value).map(([name, each]) => [name, poisoned(each)]),
              )
            : value
    const entry = {
      at: 'x',
      kind: 'request',
      who: 'w',
      detail: 'd',
      text: 't',
      results: [RESULT],
      resultsNote: 'n',
    }
    const all: Record<string, Reply> = {
      'GET /v1/requests?status=pending': { body: { requests: [request] } },
      'GET /v1/requests?status=all': {
        body: { requests: [{ ...request, words: 'w', status: 'denied' }] },
      },
      [`GET /v1/requests/${ID}`]: { body: request },
      'GET /v1/sessions': {
        body: {
          sessions: [
            { sessionId: SESSION, agent: 'a', profile: 'p', endedAt: 'x', endReason: 'r' },
          ],
        },
      },
      [`GET /v1/sessions/${SESSION}`]: {
        body: { sessionId: SESSION, agent: 'a', timeline: [entry] },
      },
      'GET /v1/profiles': {
        body: { profiles: [{ name: 'p', environment: 'e', recording: 'Full' }] },
      },
      'GET /v1/whoami': { body: { name: 'n', groups: ['g'], reviews: ['r'], behalfOf: 'b' } },
      'GET /v1/catalog': {
        body: { definitions: [{ kind: 'ChainDefined', name: 'n', version: 'v' }] },
      },
      'GET /v1/catalog/definitions': {
        body: { definitions: [{ kind: 'K', name: 'n', text: 't' }] },
      },
      'PUT /v1/catalog': {
        body: {
          changes: [{ kind: 'K', name: 'n', change: 'c', before: 'b', after: 'a' }],
          warnings: [{ file: 'f', line: 1, message: 'm' }],
          unmentioned: [{ kind: 'K', name: 'n' }],
        },
      },
      [VOTE]: { body: { status: 'granted', request } },
      [`POST /v1/requests/${ID}/deny`]: {
        status: 403,
        body: { code: 'CS_REVIEW_REFUSED', detail: 'd', hint: 'h' },
      },
    }
    replies = Object.fromEntries(
      Object.entries(all).map(([path, reply]) => [path, { ...reply, body: poisoned(reply.body) }]),
    )
    const lines = [
      ['requests'],
      ['requests', '--all'],
      ['show', ID],
      ['approve', ID, '--unseen', '--yes'],
      ['deny', ID, '--words', poison],
      ['sessions'],
      ['replay', SESSION],
      ['profiles'],
      ['whoami'],
      ['catalog', 'list'],
      ['catalog', 'show', `n${poison}`],
      ['apply', '-f', 'catalog'],
      ['apply', '-f', 'catalog', '--dry-run'],
      ['doctor'],
      [poison],
      ['show', poison],
      ['requests', '--status', poison],
      ['apply', '-f', poison],
      ['__complete', '--', ''],
    ]
    for (const words of [...lines, ...lines.map((line) => [...line, '--json'])]) {
      for (const isTerminal of [false, true]) {
        const { out, err } = await cliWith(ENV(), words, null, 'countersign', isTerminal)
        const ours = (out + err).replace(/\u001b\[\d+m/g, '')
        assert.doesNotMatch(ours, DANGEROUS, words.join(' '))
        assert.doesNotMatch(out + err, /\u001b\[2J|\u009b/, words.join(' '))
      }
    }
  })

  it('says where help is for what it did not understand, as a line that works', async () => {
    const cases: [string[], string][] = [
      [['frob'], 'npx countersign --help'],
      [['requests', '--statsu', 'x'], 'npx countersign requests --help'],
      [['events', '--limit', '0'], 'npx countersign events --help'],
      [['export', '--from', '1', '--to', '2'], 'npx countersign export --help'],
      [['catalog', 'lst'], 'npx countersign catalog --help'],
      [['catalog', 'show'], 'npx countersign catalog show --help'],
      [['deny', ID], 'npx countersign deny --help'],
    ]
    for (const [words, line] of cases) {
      const told = await cliWith(ENV(), words, null, 'npx countersign')
      assert.equal(told.status, 2)
      assert.ok(told.err.endsWith(`next: See \`${line}\`.\n`), told.err)
      const { detail, hint } = JSON.parse(
        (await cliWith(ENV(), [...words, '--json'], null, 'npx countersign')).out,
      )
      assert.equal(hint, `See \`${line}\`.`)
      assert.doesNotMatch(detail, /^error|See/)
    }
    assert.equal((await cli('help', 'requests')).out, (await cli('requests', '--help')).out)
  })

  it('says that an instance is not there', async () => {
    const { err } = await cliWith({ CS_TOKEN: 't' }, ['requests', '--instance', 'misspelt'])
    assert.match(err, /there is no instance misspelt/)
  })

  const ENV = () => ({
    CS_CONSOLE_URL: base,
    CS_REPLAY_URL: base,
    CS_OIDC_ISSUER: base,
    CS_TOKEN: 't0ken',
  })
  const cli = (...words: string[]) => cliWith(ENV(), words)

  async function cliWith(
    env: Record<string, string | undefined>,
    words: string[],
    ask: Io['ask'] = null,
    invokedAs = 'countersign',
    isTerminal = false,
  ) {
    const written = { out: '', err: '' }
    const status = await run(words, {
      out: (text) => void (written.out += text),
      err: (text) => void (written.err += text),
      // The instance that "npm run demo" leaves in this checkout is not the one of the test.
      env: { CS_INSTANCE: 'of-a-test', ...env, PATH: process.env['PATH'] },
      workingDirectory: folder,
      isTerminal,
      invokedAs,
      nowMs: () => Date.now(),
      ask,
    })
    return { status, ...written }
  }
})

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(Buffer.from(chunk))
  const text = Buffer.concat(chunks).toString()
  return request.headers['content-type'] === 'application/json' ? JSON.parse(text) : text
}

const request = {
  requestId: ID,
  sessionId: SESSION,
  status: 'pending',
  agent: 'ci-deploy',
  behalfOf: 'maria',
  profile: 'shop-prod',
  environment: 'prod',
  summary: 'changes \u001b[2J orders',
  rendering: 'UPDATE orders SET note = ?',
  effects: [{ effect: 'schema-change', schema: 'public', table: 'orders' }],
  raise: ['shop_prod_owner'],
  digest,
  chains: [
    {
      name: 'prod-change',
      stages: [
        {
          name: 'dba',
          status: 'current',
          mode: 'Any',
          quorum: 1,
          groups: ['prod-reviewers'],
          signers: [],
        },
      ],
    },
  ],
  deadline: new Date(Date.now() + 600_000).toISOString(),
  endedBy: null,
  words: null,
}
