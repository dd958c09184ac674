import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isPasswordLike } from './password-like.ts'

test('a name says that its column holds a secret, and the name of a setting of PostgreSQL does not', () => {
  for (const name of ['password', 'user_pass', 'apiKey', 'password_encryption_key', 'passwords'])
    assert.equal(isPasswordLike(name), true, name)
  const settings = ['password_encryption', 'md5_password_warnings', 'scram_iterations']
  for (const name of [...settings, 'ssl_passphrase_command_supports_reload', 'passenger'])
    assert.equal(isPasswordLike(name), false, name)
})
