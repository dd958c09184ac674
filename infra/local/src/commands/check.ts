import { checks } from '../checks.ts'
import { reported } from '../reported.ts'
import { typed } from '../typed.ts'
import { conclude } from '../suites.ts'

typed('check')
await reported(async () => conclude(await checks()))
