export { type Example, specify } from './specify.ts'
export { type TestClaims, type TestIssuer, testIssuer } from './test-issuer.ts'
