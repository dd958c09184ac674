import { randomBytes } from 'node:crypto'
import { expiryOf, type Profile } from '@countersign/contracts'
import {
  type Clock,
  messageOf,
  Problem,
  type RequestId,
  Secret,
  type SessionId,
  uuidv5,
} from '@countersign/kernel'
import { credentialAbout, PURPOSES, sealerTo, thumbprintOf } from '@countersign/identity'
import { scramVerifier } from '@countersign/postgres-wire'
import type { Consequence, Logger } from '@countersign/runtime'
import type { Step } from '../core/credential.ts'
import { credentialFailed } from '../core/failure.ts'
import { makerName } from '../core/role-name.ts'
import type { Descriptions } from './descriptions.ts'
import {
  forgetDefaultPrivileges,
  inheritFrom,
  lendRoles,
  mirrorDefaultPrivileges,
  prepareMaker,
  prepareRole,
  returnRole,
  shutOut,
  takeRolesBack,
} from './roles.ts'
import { newPassword, type TargetAdmins } from './target-admin.ts'

/** Carries out a step at the target, and returns the events that tell its result. */
export type Performer = (
  sessionId: SessionId,
  step: Step,
  context: StepContext,
) => Promise<readonly Consequence[]>

export type StepContext = {
  /** The roles that the session is lent at this moment. */
  lent: readonly string[]
  /** True if a role that is shut out may keep what it owns, because handing that over failed for too long. */
  mayLeave: boolean
  /** The reason that the target could not be looked at before a raise; null where it was. */
  lookFailure: Problem | null
}

export type PerformerOptions = {
  admins: TargetAdmins
  descriptions: Descriptions
  clock: Clock
  logger: Logger
  /** The profile by its name, for a session whose admission was never seen. */
  profileOf: (name: string) => Profile | undefined
}

export function performer(options: PerformerOptions): Performer {
  const { admins, descriptions, clock, logger } = options

  return async (sessionId, step, { lent, mayLeave, lookFailure }) => {
    const at = clock.now()
    switch (step.do) {
      case 'intend': {
        const { admitted, role } = step
        const credentialId = uuidv5(sessionId, 'credential')
        const { instanceId, profile } = admitted
        return [
          {
            message: {
              type: 'CredentialIntended',
              sessionId,
              at,
              credentialId,
              target: profile.name,
              role,
              instanceId,
            },
          },
        ]
      }
      case 'issue': {
        const { admitted, intent } = step
        const { profile } = admitted
        const { credentialId, role } = intent
        let leftNothing = !step.mayBeMade
        try {
          if ((await thumbprintOf(admitted.sessionKey)) !== admitted.sessionKeyThumbprint)
            throw new Problem('CS_AUTH_INVALID', 'policy admitted the session with another key')
          const password = newPassword()
          const verifier = scramVerifier(new Secret(password), randomBytes(16), SCRAM_ITERATIONS)
          const validUntil = expiryOf(admitted)
          const description = await descriptions.recent(profile)
          const maker = profile.mayCreate ? makerName(profile.name) : null
          await admins.on(profile, async (client) => {
            leftNothing = false
            if (maker !== null) await prepareMaker(client, maker, profile.baseRoles)
            return prepareRole(client, {
              role,
              maker,
              database: profile.database,
              baseRoles: profile.baseRoles,
              verifier,
              validUntil: new Date(validUntil / 1_000).toISOString(),
            })
          })
          const seal = await sealerTo(JSON.parse(admitted.sessionKey), PURPOSES.credential)
          const sealed = await seal(
            JSON.stringify({ sessionId, role, password }),
            credentialAbout({ sessionId, role }),
          )
          return [
            {
              message: { type: 'TargetDescribed', sessionId, at, ...description, requestId: null },
            },
            {
              message: {
                type: 'CredentialIssued',
                sessionId,
                at: clock.now(),
                credentialId,
                target: profile.name,
                role,
                baseRoles: profile.baseRoles,
                sealed,
                targetVersion: description.targetVersion,
                validUntil,
                actsAs: maker,
              },
            },
          ]
        } catch (cause) {
          return [failed(sessionId, credentialId, null, cause, leftNothing)]
        }
      }
      case 'raise': {
        const { profile, intent, requestId, grant } = step
        try {
          // It may have changed, so nobody knows whether the statement does what was approved.
          if (lookFailure !== null) throw lookFailure
          if (at > grant.expiresAt) throw new Problem('CS_GRANT_MISMATCH', 'the grant has expired')
          await admins.on(profile, async (client) => {
            const { ownerRole } = profile
            // Objects made before the approval go to the maker, so that the owner gets only those that people approved.
            if (profile.mayCreate) await inheritFrom(client, intent.role, makerName(profile.name))
            if (ownerRole !== null && step.mayChangeSchema)
              await mirrorDefaultPrivileges(client, intent.role, ownerRole)
            await lendRoles(client, intent.role, grant.raise)
          })
          const raiseId = uuidv5(grant.approvalId, 'raise')
          return [
            {
              message: {
                type: 'PrivilegeRaised',
                sessionId,
                at: clock.now(),
                credentialId: intent.credentialId,
                requestId,
                raiseId,
                roles: grant.raise,
              },
            },
          ]
        } catch (cause) {
          // All lent roles must be taken back before the failure is a fact; if that fails too, the session ends.
          const isTakenBack = await admins
            .on(profile, (client) => takeRolesBack(client, intent.role, grant.raise))
            .then(() => true)
            .catch(() => false)
          return [failed(sessionId, intent.credentialId, isTakenBack ? requestId : null, cause)]
        }
      }
      case 'describe': {
        const { profile, requestId } = step
        const description = await descriptions.anew(profile)
        const described = { type: 'TargetDescribed', sessionId, at: clock.now() } as const
        return [{ message: { ...described, ...description, requestId } }]
      }
      case 'refuse':
        return [
          failed(
            sessionId,
            step.intent.credentialId,
            step.requestId,
            new Problem('CS_GRANT_MISMATCH', step.reason),
          ),
        ]
      case 'lower': {
        const { profile, intent, requestId, raiseId, roles } = step
        const inherited = await admins.on(profile, async (client) => {
          await takeRolesBack(client, intent.role, roles)
          if (step.mayChangeSchema) await forgetDefaultPrivileges(client, intent.role)
          return inheritFrom(client, intent.role, profile.ownerRole)
        })
        const lowered: Consequence = {
          message: {
            type: 'PrivilegeLowered',
            sessionId,
            at: clock.now(),
            credentialId: intent.credentialId,
            requestId,
            raiseId,
            roles,
            ...inherited,
          },
        }
        if (!step.mayChangeSchema) return [lowered]
        const description = await descriptions.anew(profile)
        return [
          {
            message: {
              type: 'TargetDescribed',
              sessionId,
              at: clock.now(),
              ...description,
              requestId: null,
            },
          },
          lowered,
        ]
      }
      case 'revoke': {
        const { intent, reason } = step
        const backendsTerminated = step.leftNothing
          ? 0
          : await revoked(sessionId, step, { lent, mayLeave })
        return [
          {
            message: {
              type: 'CredentialRevoked',
              sessionId,
              at: clock.now(),
              credentialId: intent.credentialId,
              target: intent.target,
              role: intent.role,
              reason,
              backendsTerminated,
            },
          },
        ]
      }
    }
  }

  /** The profile may be mended since the session began: its newest version is tried when the own one does not work. */
  async function revoked(
    sessionId: SessionId,
    step: Extract<Step, { do: 'revoke' }>,
    context: Omit<StepContext, 'lookFailure'>,
  ): Promise<number> {
    const { target } = step.intent
    const newest = options.profileOf(target)
    const profiles = [step.profile, newest].filter(
      (one, index) =>
        one !== null &&
        one !== undefined &&
        (index === 0 || step.profile === null || isSamePlace(one, step.profile)),
    )
    let reason: unknown = new Problem(
      'CS_CREDENTIAL_FAILED',
      `there is no profile ${target} any more`,
    )
    for (const profile of profiles) {
      if (profile === null || profile === undefined) continue
      try {
        return await revokedAt(profile, sessionId, { ...context, role: step.intent.role })
      } catch (cause) {
        reason = cause
      }
    }
    throw reason
  }

  async function revokedAt(
    profile: Profile,
    sessionId: SessionId,
    { role, lent, mayLeave }: Omit<StepContext, 'lookFailure'> & { role: string },
  ): Promise<number> {
    const backendsTerminated = await admins.on(profile, async (client) => {
      const terminated = await shutOut(client, role)
      await takeRolesBack(client, role, lent)
      if (lent.length > 0) await forgetDefaultPrivileges(client, role)
      return terminated
    })
    await admins
      .on(profile, (client) => inheritFrom(client, role, heirOf(profile)))
      .catch((cause: unknown) => {
        if (!mayLeave) throw cause
        // The role has no login, no backend and no lent roles, so it can be put aside with what it owns.
        const fields = { sessionId, role, reason: messageOf(cause) }
        logger.warn(fields, 'what a role left cannot be handed over; it stays with the role')
      })
    await admins.on(profile, (client) => returnRole(client, role, profile.database))
    return backendsTerminated
  }

  function failed(
    sessionId: SessionId,
    credentialId: string,
    requestId: RequestId | null,
    cause: unknown,
    leftNothing = false,
  ): Consequence {
    const at = clock.now()
    const of = { sessionId, at, credentialId, requestId, cause, leftNothing }
    return { message: credentialFailed(of) }
  }
}

/** The heir of what a session leaves: the maker if base roles may create, since nobody need have approved it then. */
const heirOf = ({ mayCreate, name, ownerRole }: Profile): string | null =>
  mayCreate ? makerName(name) : ownerRole

/** True if two versions of a profile mean the same database. */
const isSamePlace = (one: Profile, other: Profile): boolean =>
  one.host === other.host && one.port === other.port && one.database === other.database

/** Iterations make guessing slow; a secret of 256 random bits cannot be guessed, so they would add nothing but time. */
const SCRAM_ITERATIONS = 16
