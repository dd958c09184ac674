/** Resolves on SIGTERM or SIGINT, and when a supervisor that holds standard input is gone. */
export async function terminated(): Promise<string> {
  return new Promise((resolve) => {
    process.once('SIGTERM', () => resolve('SIGTERM'))
    process.once('SIGINT', () => resolve('SIGINT'))
    if (process.env['CS_STOP_WITH_STDIN'] !== 'true') return
    process.stdin.resume()
    process.stdin.once('end', () => resolve('the supervisor is gone'))
    process.stdin.once('error', () => resolve('the supervisor is gone'))
  })
}
