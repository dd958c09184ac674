import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DefaultPrivilege, mirrored } from './default-privileges.ts'

const select: DefaultPrivilege = {
  schema: 'shop',
  kind: 'r',
  grantee: 'reader',
  privilege: 'SELECT',
  isGrantable: false,
}
const execute: DefaultPrivilege = {
  schema: null,
  kind: 'f',
  grantee: null,
  privilege: 'EXECUTE',
  isGrantable: false,
}

test('what is the same on both sides asks for nothing', () => {
  assert.deepEqual(mirrored('cs_x', [select, execute], [{ ...select }, { ...execute }]), [])
})

test('what the owner gives is given, and what only the role gives is taken, to everybody too', () => {
  assert.deepEqual(mirrored('cs_x', [execute], [{ ...select, isGrantable: true }]), [
    'ALTER DEFAULT PRIVILEGES FOR ROLE "cs_x" REVOKE EXECUTE ON ROUTINES FROM PUBLIC',
    'ALTER DEFAULT PRIVILEGES FOR ROLE "cs_x" IN SCHEMA "shop" GRANT SELECT ON TABLES TO "reader" WITH GRANT OPTION',
  ])
})

test('a grant option that is one too many is taken with its privilege, which is given anew', () => {
  const [first, second] = mirrored('cs_x', [{ ...select, isGrantable: true }], [select])
  assert.match(first ?? '', /REVOKE SELECT ON TABLES FROM "reader"$/)
  assert.match(second ?? '', /GRANT SELECT ON TABLES TO "reader"$/)
})
