/**
 * True if a column name says that the column holds a secret.
 * Method: the name as snake_case words, compared with a list. Limits: names in other languages than
 * English are not known; a harmless column such as token_count is masked too. Settings of PostgreSQL that say how
 * passwords are kept, and hold none, are no secrets: SHOW gives their names to its column.
 */
export function isPasswordLike(name: string): boolean {
  if (SETTINGS.has(name)) return false
  const words = name
    .replace(CAMEL, '$1_$2')
    .replace(/[^a-zA-Z0-9]+/g, '_')
    .toLowerCase()
  return ANYWHERE.test(words) || AS_WORD.test(words)
}

const SETTINGS: ReadonlySet<string> = new Set([
  ...['password_encryption', 'md5_password_warnings', 'ssl_passphrase_command_supports_reload'],
])
const CAMEL = /([a-z0-9])([A-Z])/g
const ANYWHERE = /password|passwd|passphrase|api_?key|private_?key|secret_?key/
const AS_WORD =
  /(?:^|_)(?:pwd|pass|secrets?|tokens?|access_?keys?|credentials?|pw_?hash|pass_?hash)(?:_|$)/
