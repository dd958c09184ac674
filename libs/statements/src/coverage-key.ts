import { sha256 } from '@countersign/kernel'
import { exactKey, shapeKey } from './keys.ts'

/** The parts of a request that its coverage depends on. */
export type CoverableRequest = {
  readonly kind: string
  readonly text: Uint8Array
  readonly parameterTypes: readonly number[]
  readonly parameterFormats: readonly number[]
  readonly parameters: readonly (Uint8Array | null)[]
}

/**
 * The key under which a decision covers later requests: `Exact` for the same bytes and parameters, `Shape` for the same
 * statement with other values; null where it has no shape key. Policy writes it, the proxy compares it; both call this.
 */
export function coverageKey(coverage: 'Exact' | 'Shape', request: CoverableRequest): string | null {
  const types = request.parameterTypes.join(',')
  if (coverage === 'Shape') {
    const shape = shapeKey(request.text)
    return shape === null ? null : `${request.kind}:${types}:${shape}`
  }
  const values = request.parameters.map((value) =>
    value === null ? 'null' : Buffer.from(value).toString('hex'),
  )
  const bound = sha256(`${types};${request.parameterFormats.join(',')};${values.join(',')}`)
  return `${request.kind}:${bound}:${exactKey(request.text)}`
}
