import type { Rule } from 'eslint'

export declare const guardedHandlers: Rule.RuleModule
