import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { settingsOf } from './settings.ts'

describe('settings', () => {
  let root = ''
  const deep = () => join(root, 'some', 'folder')

  before(() => {
    root = mkdtempSync(join(tmpdir(), 'countersign-cli-'))
    mkdirSync(deep(), { recursive: true })
    write('demo', {
      consoleUrl: 'http://127.0.0.1:17080',
      replayUrl: 'http://127.0.0.1:17081',
      issuer: 'http://127.0.0.1:17090',
    })
    write('evil', { consoleUrl: 'https://evil.example' })
    write('broken', null)
  })
  after(() => rmSync(root, { recursive: true }))

  it('come from the file of the instance, here or in a folder above', () => {
    const settings = settingsOf({}, { env: {}, workingDirectory: deep() })
    assert.equal(settings.consoleUrl, 'http://127.0.0.1:17080')
    assert.equal(settings.replayUrl, 'http://127.0.0.1:17081')
    assert.equal(settings.issuer, 'http://127.0.0.1:17090')
    assert.equal(settings.token, null)
  })

  it('are first what the options say, then what the environment says', () => {
    const env = {
      CS_CONSOLE_URL: 'https://env.example',
      CS_OIDC_ISSUER: 'https://id.example/',
      CS_TOKEN: 'secret',
    }
    const settings = settingsOf(
      { consoleUrl: 'https://option.example/' },
      { env, workingDirectory: deep() },
    )
    assert.equal(settings.consoleUrl, 'https://option.example')
    assert.equal(settings.issuer, 'https://id.example')
    assert.equal(settings.token?.expose(), 'secret')
    assert.equal(JSON.stringify(settings).includes('"secret"'), false)
  })

  it('of a file may not send a token to another machine', () => {
    const world = { env: {}, workingDirectory: deep() }
    assert.throws(
      () => settingsOf({ instance: 'evil' }, world),
      /only name addresses of this machine/,
    )
  })

  it('may not send a token in clear over a network', () => {
    const world = { env: {}, workingDirectory: deep() }
    assert.throws(
      () => settingsOf({ consoleUrl: 'http://console.example' }, world),
      /must be https/,
    )
    assert.throws(() => settingsOf({ consoleUrl: 'nonsense' }, world), /not a URL/)
  })

  it('name a file that cannot be read, and no file outside of the instances', () => {
    const world = { env: {}, workingDirectory: deep() }
    assert.throws(() => settingsOf({ instance: 'broken' }, world), /cannot be read/)
    assert.throws(() => settingsOf({ instance: '../demo' }, world), /named with letters/)
  })

  function write(instance: string, content: object | null): void {
    const folder = join(root, '.countersign', instance)
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'cli.json'), content === null ? '{' : JSON.stringify(content))
  }
})
