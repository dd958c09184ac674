import tseslint from 'typescript-eslint'
import { guardedHandlers } from './infra/local/eslint/guarded-handlers.js'

/** May use Node's timers: nets, and files with constant times, whose callbacks only begin work that is caught elsewhere. */
const OWN_TIMERS = [
  'libs/runtime/src/{last-net,net,start-service}.ts',
  'libs/log/src/in-memory.ts',
  'libs/log/src/kafka/*.ts',
]

const NO_BARE_TIMERS = [
  'error',
  ...['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'].map((name) => ({
    name,
    message: 'Use after() of the kernel, or after() and every() of a Net.',
  })),
]

export default tseslint.config(
  { ignores: ['**/node_modules', '.countersign', '.turbo', 'libs/contracts/src/generated'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.base],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', package: 'node:test', name: ['test', 'describe', 'it', 'suite'] },
          ],
        },
      ],
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' },
        { selector: 'TSEnumDeclaration', message: 'Use a union of strings.' },
      ],
      'no-var': 'error',
      'prefer-const': 'error',
      eqeqeq: 'error',
    },
  },
  {
    // Each handler that the event loop calls must run in a net (docs/decisions/0016-a-fault-ends-one-connection.md).
    files: ['services/**/*.ts', 'libs/{identity,kernel,log,runtime}/**/*.ts'],
    ignores: ['**/*.{test,contract,fixture}.ts', 'libs/kernel/src/long-wait.ts', ...OWN_TIMERS],
    plugins: { countersign: { rules: { 'guarded-handlers': guardedHandlers } } },
    rules: {
      '@typescript-eslint/no-floating-promises': ['error', { ignoreVoid: false }],
      'no-restricted-globals': NO_BARE_TIMERS,
      'no-restricted-imports': [
        'error',
        { name: 'node:timers', message: 'Use after() of the kernel.' },
        {
          name: 'node:timers/promises',
          importNames: ['setTimeout', 'setInterval'],
          message: 'Use rested() of the kernel.',
        },
      ],
      'countersign/guarded-handlers': 'error',
    },
  },
  {
    // A statement of Countersign that failed in execution keeps its name at the target, so the next Parse closes it first.
    files: ['services/proxy/src/shell/**/*.ts'],
    ignores: ['**/*.{test,fixture}.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'toServer', property: 'parse', message: 'Use ownParse() or ownPassage().' },
      ],
    },
  },
  {
    // A command waits for one thing at a time and needs no net, but a timer of Node that is asked for too long ends at once.
    files: ['libs/cli/**/*.ts'],
    ignores: ['**/*.{test,fixture}.ts'],
    rules: { 'no-restricted-globals': NO_BARE_TIMERS },
  },
)
