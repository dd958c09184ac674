/** The parts of oidc-provider that we use; it comes without types. */
declare module 'oidc-provider' {
  import type { IncomingMessage, ServerResponse } from 'node:http'

  export type Context = {
    get(header: string): string
    body: unknown
    readonly oidc: {
      readonly client?: { readonly clientId: string }
      readonly params?: Readonly<Record<string, unknown>>
      entity(name: string, value: object): void
    }
  }
  export type Token = { accountId?: string; clientId?: string }
  export type Jwt = { payload: Record<string, unknown> }

  class Provider {
    constructor(issuer: string, configuration: object)
    readonly issuer: string
    callback(): (request: IncomingMessage, response: ServerResponse) => Promise<void>
    on(event: 'server_error', listener: (context: Context, error: Error) => void): this
    registerGrantType(
      name: string,
      handler: (context: Context) => Promise<void>,
      parameters: readonly string[],
    ): void
    readonly Grant: new (properties: object) => { save(): Promise<string> }
    readonly AccessToken: new (properties: object) => {
      resourceServer: object
      readonly expiration: number
      save(): Promise<string>
    }
    readonly ResourceServer: new (identifier: string, data: object) => object
  }

  export { Provider as default }

  export const errors: { readonly InvalidGrant: new (detail: string) => Error }
}
