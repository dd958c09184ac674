import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ApprovalsMessage } from '@countersign/contracts'
import { folded } from '@countersign/kernel'
import { specify } from '@countersign/testing'
import fc from 'fast-check'
import { approval } from './approval.ts'
import type { ApprovalCommand } from './command.ts'
import {
  ana,
  ask,
  asked,
  bo,
  chain,
  deniedBy,
  end,
  expired,
  giveUp,
  grantedTo,
  kim,
  later,
  no,
  noon,
  person,
  refusedTo,
  requester,
  signed,
  stage,
  timeIs,
  voterOf,
  withdrawn,
  yes,
} from './examples.ts'

const one = chain('prod-change', stage('dba'))
const mixed = chain('both', stage('dba'), stage('qa', { environment: 'staging', groups: ['qa'] }))
const two = chain('prod-change', stage('dba', { mode: 'Quorum', quorum: 2 }))
const stages = chain(
  'prod-change',
  stage('dba'),
  stage('owner', {
    groups: ['prod-reviewers', 'prod-owners'],
    deadlineMs: 5 * 60_000,
    distinctFrom: ['earlierStages'],
  }),
)
const all = chain('prod-change', stage('dba', { mode: 'All', groups: ['dba', 'security'] }))
const security = chain('security', stage('officer', { groups: ['security', 'prod-reviewers'] }))
const officer = voterOf(person('sam', 'security'), 'prod')
const both = voterOf(person('eve', 'dba', 'security'), 'prod')
const dba = voterOf(person('dan', 'dba'), 'prod')
const agentOfAna = voterOf(
  { ...person('ana', 'prod-reviewers'), agent: 'bot', behalfOf: 'ana', isAgent: true },
  'prod',
)

const bot = voterOf({ ...person('review-bot', 'prod-reviewers'), isAgent: true }, 'prod')

const SELF = 'Nobody countersigns a request of their own or of their agent.'
const AGENT = 'An agent cannot countersign, whoever it acts for.'
const FOREIGN =
  'Nobody may countersign this in prod: the chain both needs reviewers of staging in its stage qa.'
const TWICE = 'This person has countersigned already.'
const LATE = 'The deadline of the request has passed.'
const NONE = 'This person is not a reviewer of a stage that waits now.'

specify(approval, {
  'a request that needs a review waits for its first stage': {
    given: [],
    when: ask(one),
    then: [asked(one)],
  },
  'the same request is asked about once': { given: [asked(one)], when: ask(one), then: [] },
  'a request without any chain is denied, not granted': {
    given: [],
    when: ask(),
    then: [
      { ...asked(), deadline: noon },
      deniedBy('countersign', 'No reviewers are defined for this request.', noon),
    ],
  },
  'a request whose chain has a stage of another environment is denied at once, since nobody could ever grant it':
    {
      given: [],
      when: ask(one, mixed),
      then: [{ ...asked(one, mixed), deadline: noon }, deniedBy('countersign', FOREIGN, noon)],
    },
  'one countersignature grants where any one is enough': {
    given: [asked(one)],
    when: yes(ana),
    then: [signed('ana'), grantedTo('ana')],
  },
  'a quorum of two waits after the first': {
    given: [asked(two)],
    when: yes(ana),
    then: [signed('ana', { stageComplete: false, deadline: later(15) })],
  },
  'the last countersignature grants the approval': {
    given: [asked(two), signed('ana', { stageComplete: false, deadline: later(15) })],
    when: yes(bo),
    then: [signed('bo'), grantedTo('ana', 'bo')],
  },
  'the same person twice is one person': {
    given: [asked(two), signed('ana', { stageComplete: false, deadline: later(15) })],
    when: yes(ana),
    then: [refusedTo('ana', 'AlreadySigned', TWICE)],
  },
  'the next stage begins with its own deadline': {
    given: [asked(stages)],
    when: yes(ana),
    then: [signed('ana', { deadline: later(6) })],
  },
  'somebody of an earlier stage cannot sign a later one that wants others': {
    given: [asked(stages), signed('ana', { deadline: later(6) })],
    when: yes(ana),
    then: [
      refusedTo(
        'ana',
        'AlreadySigned',
        'This stage needs somebody who did not countersign an earlier one.',
      ),
    ],
  },
  'the last stage grants': {
    given: [asked(stages), signed('ana', { deadline: later(6) })],
    when: yes(bo),
    then: [signed('bo', { stage: 'owner' }), grantedTo('ana', 'bo')],
  },
  'the deadline of the second stage counts from the end of the first': {
    given: [asked(stages), signed('ana', { deadline: later(6) })],
    when: timeIs(later(6)),
    then: [expired(later(6), 'owner')],
  },
  'two chains must both grant': {
    given: [asked(one, security)],
    when: yes(officer),
    then: [signed('sam', { chain: 'security', stage: 'officer', groups: ['security'] })],
  },
  'one vote counts for every chain whose stage the person reviews': {
    given: [asked(one, security)],
    when: yes(ana),
    then: [signed('ana'), signed('ana', { chain: 'security', stage: 'officer' }), grantedTo('ana')],
  },
  'a person in two groups signs for one of them only': {
    given: [asked(all)],
    when: yes(both),
    then: [
      signed('eve', { stageComplete: false, deadline: later(15), groups: ['dba', 'security'] }),
    ],
  },
  'every group has signed when each has a person of its own': {
    given: [
      asked(all),
      signed('eve', { stageComplete: false, deadline: later(15), groups: ['dba', 'security'] }),
    ],
    when: yes(dba),
    then: [signed('dan', { groups: ['dba'] }), grantedTo('eve', 'dan')],
  },
  'a staging reviewer cannot countersign for production': {
    given: [asked(one)],
    when: yes(kim),
    then: [refusedTo('kim', 'WrongEnvironment', 'This person reviews staging, not prod.')],
  },
  'reviewers of another environment in the chain itself do not count': {
    given: [
      asked(
        chain(
          'prod-change',
          stage('dba', { environment: 'staging', groups: ['staging-reviewers'] }),
        ),
      ),
    ],
    when: yes(kim),
    then: [refusedTo('kim', 'WrongEnvironment', 'This person reviews staging, not prod.')],
  },
  'somebody who reviews nothing is not a reviewer': {
    given: [asked(one)],
    when: yes(voterOf(person('zoe', 'people'))),
    then: [refusedTo('zoe', 'NotAReviewer', NONE)],
  },
  'a reviewer of the environment who is not of this stage is not a reviewer': {
    given: [asked(one)],
    when: yes(officer),
    then: [refusedTo('sam', 'NotAReviewer', NONE)],
  },
  'the person that the agent acts for cannot countersign, whatever their groups': {
    given: [asked(one)],
    when: yes(voterOf(person('maria', 'prod-reviewers'), 'prod')),
    then: [refusedTo('maria', 'SelfApproval', SELF)],
  },
  'the agent cannot countersign its own request': {
    given: [asked(one)],
    when: yes(voterOf({ ...requester, isAgent: true }, 'prod')),
    then: [refusedTo('ci-deploy', 'SelfApproval', SELF)],
  },
  'the agent cannot countersign under its own name either': {
    given: [asked(one)],
    when: yes(voterOf(person('ci-deploy', 'prod-reviewers'), 'prod')),
    then: [refusedTo('ci-deploy', 'SelfApproval', SELF)],
  },
  'an agent cannot countersign for a reviewer': {
    given: [asked(one)],
    when: yes(agentOfAna),
    then: [refusedTo('bot', 'NotAReviewer', AGENT)],
  },
  'an agent that acts for nobody cannot countersign either, whatever groups it is in': {
    given: [asked(one)],
    when: yes(bot),
    then: [refusedTo('review-bot', 'NotAReviewer', AGENT)],
  },
  'nor can it deny': {
    given: [asked(one)],
    when: no(bot),
    then: [refusedTo('review-bot', 'NotAReviewer', AGENT)],
  },
  'a yes to other bytes does not count': {
    given: [asked(one)],
    when: yes(ana, later(1), 'd2'),
    then: [
      refusedTo(
        'ana',
        'DigestMismatch',
        'The request that was looked at is not the one that waits.',
      ),
    ],
  },
  'a vote without a valid token does not count': {
    given: [asked(one)],
    when: yes({ status: 'unverified', claimed: 'ana', detail: 'The token has expired.' }),
    then: [refusedTo('ana', 'TokenInvalid', 'The token has expired.')],
  },
  'a vote on an unknown request is refused': {
    given: [],
    when: yes(ana),
    then: [refusedTo('ana', 'NotPending', 'The request is not known here.')],
  },
  'a vote after the grant is refused': {
    given: [asked(one), signed('ana'), grantedTo('ana')],
    when: yes(bo),
    then: [refusedTo('bo', 'NotPending', 'The request was granted.')],
  },
  'a vote at the deadline ends it and is too late': {
    given: [asked(one)],
    when: yes(ana, later(15)),
    then: [expired(later(15)), refusedTo('ana', 'TooLate', LATE, later(15))],
  },
  'a vote after the deadline is too late': {
    given: [asked(one), expired(later(15))],
    when: yes(ana, later(16)),
    then: [refusedTo('ana', 'TooLate', LATE, later(16))],
  },
  'nothing expires before its deadline': { given: [asked(one)], when: timeIs(later(14)), then: [] },
  'a request expires once': {
    given: [asked(one), expired(later(15))],
    when: timeIs(later(16)),
    then: [],
  },
  'any reviewer of the stage can deny, with words': {
    given: [asked(two), signed('ana', { stageComplete: false, deadline: later(15) })],
    when: no(bo),
    then: [deniedBy('bo', 'not on a Friday')],
  },
  'a staging reviewer cannot deny for production': {
    given: [asked(one)],
    when: no(kim),
    then: [refusedTo('kim', 'WrongEnvironment', 'This person reviews staging, not prod.')],
  },
  'a vote after the denial is refused': {
    given: [asked(one), deniedBy('bo', 'no')],
    when: yes(ana),
    then: [refusedTo('ana', 'NotPending', 'The request was denied.')],
  },
  'the requester can withdraw': {
    given: [asked(one)],
    when: giveUp(voterOf(person('maria'))),
    then: [withdrawn('maria withdrew it')],
  },
  'nobody else can withdraw': {
    given: [asked(one)],
    when: giveUp(ana),
    then: [refusedTo('ana', 'NotAReviewer', 'Only the requester can withdraw a request.')],
  },
  'the end of the session withdraws what waits': {
    given: [asked(one)],
    when: end,
    then: [withdrawn('the session ended')],
  },
  'the end of the session changes nothing that is over': {
    given: [asked(one), signed('ana'), grantedTo('ana')],
    when: end,
    then: [],
  },
})

describe('whatever people do', () => {
  const names = ['ana', 'bo', 'cy', 'kim', 'maria', 'ci-deploy']
  const groups = ['prod-reviewers', 'staging-reviewers', 'prod-owners', 'people']
  const voters = fc
    .record({
      name: fc.constantFrom(...names),
      groups: fc.subarray(groups),
      isAgent: fc.constantFrom(false, false, false, true),
    })
    .map(({ name, groups: mine, isAgent }) => voterOf({ ...person(name, ...mine), isAgent }))
  const commands: fc.Arbitrary<ApprovalCommand> = fc.oneof(
    { weight: 30, arbitrary: voters.map((voter) => yes(voter)) },
    { weight: 1, arbitrary: voters.map((voter) => yes(voter, later(20))) },
    { weight: 1, arbitrary: voters.map((voter) => yes(voter, later(1), 'd2')) },
    { weight: 1, arbitrary: voters.map((voter) => giveUp(voter)) },
    { weight: 1, arbitrary: voters.map((voter) => no(voter)) },
  )
  const chains = fc.array(
    fc
      .array(
        fc.record({
          groups: fc.constantFrom(
            ['prod-reviewers'],
            ['prod-owners'],
            ['prod-reviewers', 'prod-owners'],
          ),
          environment: fc.constantFrom('prod', 'prod', 'staging'),
          quorum: fc.integer({ min: 0, max: 3 }),
        }),
        { maxLength: 2 },
      )
      .map((made) =>
        made.map((fields, index) => stage(`stage-${index}`, { mode: 'Quorum', ...fields })),
      ),
    { maxLength: 2 },
  )

  it('nothing is granted without a quorum of distinct, eligible people in every stage', () => {
    let grants = 0
    fc.assert(
      fc.property(chains, fc.array(commands, { maxLength: 30, minLength: 10 }), (made, orders) => {
        const named = made.map((its, index) => chain(`chain-${index}`, ...its))
        const eligible = new Map<string, Set<string>>()
        const history: ApprovalsMessage[] = [
          ...approval.decide(ask(...named), approval.initialState),
        ]
        for (const order of orders) {
          const events = approval.decide(order, folded(approval, history))
          for (const event of events) {
            if (event.type !== 'Countersigned' || order.type !== 'Countersign') continue
            const its = named.find(({ name }) => name === event.chain)?.stages
            const signedStage = its?.find(({ name }) => name === event.stage)
            assert.equal(order.voter.status, 'verified')
            if (order.voter.status !== 'verified') continue
            const { identity } = order.voter
            assert.equal(identity.isAgent, false)
            assert.ok(!requester.actors.includes(identity.subject))
            assert.equal(signedStage?.environment, 'prod')
            assert.ok(signedStage?.groups.some((group) => identity.groups.includes(group)))
            const key = `${event.chain}/${event.stage}`
            eligible.set(key, (eligible.get(key) ?? new Set()).add(identity.subject))
          }
          history.push(...events)
        }
        const granted = history.filter(({ type }) => type === 'ApprovalGranted').length
        assert.ok(granted <= 1)
        if (granted === 0) return
        grants++
        assert.ok(named.length > 0)
        for (const { name, stages: its } of named) {
          assert.ok(its.length > 0)
          for (const { name: stageName, quorum } of its) {
            const people = eligible.get(`${name}/${stageName}`)?.size ?? 0
            assert.ok(people >= Math.max(1, quorum), `${people} of ${quorum}`)
          }
        }
      }),
      { numRuns: 1_000, seed: 7 },
    )
    assert.ok(grants > 20, `the examples grant often enough to mean something: ${grants}`)
  })

  it('an approval that ended stays as it ended', () => {
    fc.assert(
      fc.property(fc.array(commands, { maxLength: 12 }), (orders) => {
        let state = folded(approval, [asked(one), deniedBy('bo', 'no')])
        for (const order of orders) {
          state = approval.decide(order, state).reduce(approval.evolve, state)
          assert.deepEqual(state, { status: 'denied' })
        }
      }),
    )
  })
})
