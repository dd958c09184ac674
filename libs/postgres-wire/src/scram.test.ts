import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failed, ok, Secret } from '@countersign/kernel'
import { clientFinal, clientFirst, scramVerifier, verifyServer } from './index.ts'

// The example of RFC 7677 section 3.
const PENCIL = new Secret('pencil')
const FIRST = clientFirst('rOprNGfwEbeRWgbNEkqO', 'user')
const NONCE = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0'
const SERVER_FIRST = `r=${NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`

test('the exchange of RFC 7677 is reproduced to the byte', () => {
  assert.equal(FIRST.message, 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO')
  const final = clientFinal(FIRST, SERVER_FIRST, PENCIL)
  assert(final.ok)
  assert.equal(
    final.value.message,
    `c=biws,r=${NONCE},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`,
  )
  const verified = verifyServer(final.value, 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')
  assert.deepEqual(verified, ok('verified'))
})

test('a server that does not know the password is not believed', () => {
  const final = clientFinal(FIRST, SERVER_FIRST, PENCIL)
  assert(final.ok)
  const other = `v=${Buffer.alloc(32).toString('base64')}`
  assert.deepEqual(verifyServer(final.value, other), failed('ServerSignatureMismatch'))
  assert.deepEqual(verifyServer(final.value, 'v=AA=='), failed('ServerSignatureMismatch'))
  assert.deepEqual(verifyServer(final.value, 'e=invalid-proof'), failed('ServerRefused'))
  assert.deepEqual(verifyServer(final.value, ''), failed('NotUnderstood'))
})

test('a challenge with a foreign nonce, too much work or another form is refused', () => {
  const answer = (serverFirst: string) => clientFinal(FIRST, serverFirst, PENCIL)
  assert.deepEqual(answer('r=other,s=AAAA,i=4096'), failed('NonceMismatch'))
  assert.deepEqual(answer('r=rOprNGfwEbeRWgbNEkqO,s=AAAA,i=4096'), failed('NonceMismatch'))
  assert.deepEqual(answer(`r=${NONCE},s=AAAA,i=200001`), failed('IterationsOutOfRange'))
  assert.deepEqual(answer(`r=${NONCE},s=AAAA,i=0`), failed('NotUnderstood'))
  assert.deepEqual(answer(`m=x,${SERVER_FIRST}`), failed('NotUnderstood'))
})

test('a user name cannot add an attribute of its own', () => {
  assert.equal(clientFirst('x', 'a,r=b').message, 'n,,n=a=2Cr=3Db,r=x')
})

test('a verifier has the form of PostgreSQL and holds the keys of the exchange', () => {
  // StoredKey and ServerKey of the RFC's password, computed with Python's hashlib.
  const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64')
  assert.equal(scramVerifier(PENCIL, salt, 4096), VERIFIER)
})

test('two ways to type one password make one verifier', () => {
  const salt = Buffer.alloc(16)
  const typed = (text: string): string => scramVerifier(new Secret(text), salt, 1)
  assert.equal(typed('e\u0301\u00a0x\u00ad'), typed('\u00e9 x'))
  assert.notEqual(typed('e x'), typed('\u00e9 x'))
})

const VERIFIER =
  'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU='
