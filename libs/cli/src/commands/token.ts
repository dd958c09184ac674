import type { Context } from '../context.ts'

/** Prints an access token, for psql and other clients. */
export async function token(context: Context): Promise<void> {
  const access = await context.token()
  context.print({ token: access.expose() }, () => `${access.expose()}\n`)
}
