import type { CredentialIssued } from '@countersign/contracts'
import type { OwnRoles } from '@countersign/statements'

/**
 * The roles that a session has by itself. Where base roles may create, it logs in to act as another role, and as its own one
 * while something is raised.
 */
export const ownRolesOf = (
  { role, actsAs }: Pick<CredentialIssued, 'role' | 'actsAs'>,
  raisedRoles: readonly string[],
): OwnRoles => {
  const atLogin = actsAs ?? role
  return { own: role, atLogin, acting: raisedRoles.length > 0 ? role : atLogin }
}
