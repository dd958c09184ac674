import { type System, topologies } from '@countersign/local'
import { eventually } from './ledger.ts'

/** Waits until every service of the system that reads the catalog reports that it has read up to this offset. */
export async function everyoneHasRead(system: System, catalogOffset: number): Promise<void> {
  const all = await topologies()
  const readers = all.filter(({ reads }) => reads.includes('catalog')).map(({ service }) => service)
  await Promise.all(
    system.services
      .filter(({ name }) => readers.includes(name))
      .map(({ name, healthPort }) =>
        eventually(
          `that ${name} reads the catalog up to ${catalogOffset}`,
          async () => (await catalogOffsetOf(healthPort)) >= catalogOffset,
          READ_LIMIT_MS,
        ),
      ),
  )
}

/** The next offset of the catalog that the service with this health port will read; 0 if it does not report one. */
export async function catalogOffsetOf(healthPort: number): Promise<number> {
  const signal = AbortSignal.timeout(SCRAPE_LIMIT_MS)
  const scraped = await fetch(`http://127.0.0.1:${healthPort}/metrics`, { signal })
    .then((response) => response.text())
    .catch(() => '')
  return Number(/^countersign_catalog_offset(?:\{.*\})? (\d+)/m.exec(scraped)?.[1] ?? 0)
}

const READ_LIMIT_MS = 60_000
const SCRAPE_LIMIT_MS = 5_000
