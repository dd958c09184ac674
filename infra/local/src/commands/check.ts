import { checks } from '../checks.ts'
import { reported } from '../reported.ts'
import { conclude } from '../suites.ts'

await reported(async () => conclude(await checks()))
