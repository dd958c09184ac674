/**
 * Checks targets with the secrets of the broker, on its machine: `node src/check-targets.ts < profiles.json`, with the
 * settings of the broker. Without profiles on its input it takes those in force from the log. Prints findings as JSON.
 */
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { applied, type Catalog, emptyCatalog, isCatalogMessage } from '@countersign/catalog'
import type { Profile } from '@countersign/contracts'
import { messageOf, Problem } from '@countersign/kernel'
import { connectKafkaLog } from '@countersign/log'
import { createLogger, kafkaSettings, readConfig } from '@countersign/runtime'
import { SETTINGS } from './config.ts'
import { checkTarget } from './shell/check-target.ts'
import { fileSecrets, targetAdmins } from './shell/target-admin.ts'
import { topology } from './topology.ts'

try {
  const config = readConfig(SETTINGS, process.env)
  const sent = process.argv.includes('--in-force') ? '' : (await text(process.stdin)).trim()
  const profiles = sent === '' ? await profilesInForce() : profilesIn(JSON.parse(sent))
  const { CS_TARGET_CA_FILE } = config
  await using admins = targetAdmins({
    secret: fileSecrets(config.CS_SECRETS_DIR),
    certificateAuthorities:
      CS_TARGET_CA_FILE === undefined ? undefined : await readFile(CS_TARGET_CA_FILE, 'utf8'),
  })
  const findings = (await Promise.all(profiles.map((each) => checkTarget(each, admins)))).flat()
  process.stdout.write(`${JSON.stringify({ findings })}\n`)

  async function profilesInForce(): Promise<readonly Profile[]> {
    const logger = createLogger(topology.service, 'error')
    await using log = await connectKafkaLog(kafkaSettings(topology.service, config, logger))
    let catalog: Catalog = emptyCatalog
    await log.readToEnd({
      topic: 'catalog',
      onRecord: (record) => {
        if (record.status === 'understood' && isCatalogMessage(record.message))
          catalog = applied(catalog, record.message)
      },
    })
    return [...catalog.profiles.values()]
  }
} catch (thrown) {
  const code = thrown instanceof Problem ? thrown.code : 'CS_INTERNAL'
  process.stdout.write(`${JSON.stringify({ code, detail: messageOf(thrown) })}\n`)
  process.exitCode = 1
}

/** Profiles as the console shows them to administrators; only that they are a list is checked here. */
function profilesIn(sent: unknown): readonly Profile[] {
  if (!Array.isArray(sent)) throw new TypeError('the input is no list of profiles')
  return sent
}
