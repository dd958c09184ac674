import type { CredentialIssued } from '@countersign/contracts'
import type { OwnRoles } from '@countersign/statements'

/**
 * The roles that a session has by itself. If base roles may create, it acts as another role from its login on, and as
 * its own role while a privilege is raised.
 */
export const ownRolesOf = (
  { role, actsAs }: Pick<CredentialIssued, 'role' | 'actsAs'>,
  raisedRoles: readonly string[],
): OwnRoles => {
  const atLogin = actsAs ?? role
  return { own: role, atLogin, acting: raisedRoles.length > 0 ? role : atLogin }
}
