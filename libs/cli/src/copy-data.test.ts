import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { copyDataJson, copyDataText } from './copy-data.ts'

const shown = (data: string | Buffer, isWhole = false): string[] =>
  copyDataText(Buffer.from(data), {
    paint: (_style, text) => text,
    isWhole,
    wholeBy: 'countersign show beef --data',
  })
    .split('\n')
    .slice(0, -1)

test('few lines are shown whole, with their number, size and hash', () => {
  const [head, ...lines] = shown('1\tone\n2\ttwo\n')
  const hash = createHash('sha256').update('1\tone\n2\ttwo\n').digest('hex')
  assert.equal(head, `  data      12 bytes, 2 lines, SHA-256 ${hash}; the digest is of these too:`)
  assert.deepEqual(lines, ['       1  1⇥one', '       2  2⇥two'])
})

test('of many or long lines the first are shown, and that there are more; all of them where that is asked for', () => {
  const many = Array.from({ length: 1_000 }, (_, index) => `${index}\tx\n`).join('')
  const lines = shown(many)
  assert.equal(lines.length, 22)
  assert.match(lines.at(-1) ?? '', /^ {4}NOT ALL OF THEM ARE SHOWN: countersign show beef --data$/)
  assert.equal(shown(many, true).length, 1_001)
  const long = `${'x'.repeat(10_000)}\n2\n`
  assert.ok(
    shown(long)
      .join('')
      .replaceAll(/^ .{8}/gm, '').length < 6_000,
  )
  assert.match(shown(long).at(-1) ?? '', /NOT ALL/)
  assert.equal(shown(long, true).at(-1), '       2  2')
  assert.equal(shown('x'.repeat(68)).length, 2)
})

test('data cannot draw what a reviewer sees', () => {
  const lines = shown('a\u001b[2J\u202e\r\n  digest    0000\n')
  assert.deepEqual(lines.slice(1), [
    '       1  a\\u001b[2J\\u202e\\u000d',
    '       2    digest    0000',
  ])
})

// Seen to fail when a line is not broken.
test('no part of a long line passes for the next line', () => {
  const lines = shown(`${'x'.repeat(68)}       2  harmless\n2⇥\t\n${'é'.repeat(35)}\n`)
  assert.deepEqual(lines.slice(1), [
    `       1  ${'x'.repeat(68)}`,
    '       +         2  harmless',
    '       2  2\\u21e5⇥',
    `       3  ${'é'.repeat(34)}`,
    '       +  é',
  ])
})

test('what is no text is shown in hexadecimal', () => {
  const [head, line] = shown(Buffer.from([0x50, 0xff, 0x00]))
  assert.match(head ?? '', /3 bytes, no text, in hexadecimal/)
  assert.equal(line, '       1  50ff00')
  assert.deepEqual(
    { ...copyDataJson(Buffer.from([0xff])), sha256: '' },
    {
      bytes: 1,
      sha256: '',
      lines: 1,
      text: null,
      base64: '/w==',
    },
  )
  assert.deepEqual(shown('').slice(1), [])
})
