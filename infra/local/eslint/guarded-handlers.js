/**
 * Every handler that the event loop calls has a net under it (docs/decisions/0016-a-fault-ends-one-connection.md). A handler is harmless
 * where it does nothing, settles a promise or disposes of something; it has a net where it was made by `guarded` or
 * `answering`. Everything else is reported, also under a name: a function that is only named is as bare as one in place.
 * Known limits: a handler that comes as a parameter, or as a part of something, is reported whatever it is; one for an event
 * whose name is no literal is not looked at.
 */
export const guardedHandlers = {
  meta: { type: 'problem', messages: { bare: 'Use guarded() of a Net.' }, schema: [] },
  create: (context) => ({
    CallExpression(node) {
      const handler = handlerOf(node)
      if (handler === undefined || isSafe(handler, context.sourceCode)) return
      context.report({ node: handler, messageId: 'bare' })
    },
  }),
}

function handlerOf({ callee, arguments: given }) {
  const name = callee.type === 'MemberExpression' ? callee.property.name : callee.name
  if (name === 'createServer') return given.find(isHandler)
  const [event, handler] = given
  return HANGS_UP.has(name) && event?.type === 'Literal' ? handler : undefined
}

/** Options of a server are no handler. */
const isHandler = ({ type }) => type !== 'ObjectExpression'

function isSafe(handler, sourceCode) {
  switch (handler.type) {
    case 'ArrowFunctionExpression':
    case 'FunctionExpression':
      return isHarmless(handler.body)
    case 'CallExpression':
      return GUARDS.has(nameOf(handler.callee))
    case 'Identifier':
      return SETTLES.has(handler.name) || definitionsOf(handler, sourceCode).some(isSafeDefinition)
    default:
      return false
  }

  function isSafeDefinition({ type, node }) {
    return type === 'Variable' && node.init != null && isSafe(node.init, sourceCode)
  }
}

function isHarmless(body) {
  if (body.type === 'Identifier') return true
  if (body.type === 'UnaryExpression' && body.operator === 'void') return isHarmless(body.argument)
  if (body.type !== 'CallExpression') return false
  const { callee } = body
  return SETTLES.has(nameOf(callee)) || callee.property?.object?.name === 'Symbol'
}

const nameOf = (callee) => callee.property?.name ?? callee.name

function definitionsOf(identifier, sourceCode) {
  for (let scope = sourceCode.getScope(identifier); scope !== null; scope = scope.upper) {
    const variable = scope.set.get(identifier.name)
    if (variable !== undefined) return variable.defs
  }
  return []
}

const HANGS_UP = new Set(['on', 'once', 'addListener', 'prependListener', 'addEventListener'])
const GUARDS = new Set(['guarded', 'answering'])
const SETTLES = new Set(['resolve', 'reject'])
