import { existsSync } from 'node:fs'
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execute } from './execute.ts'

/** The files of a certificate and its private key. */
export type Certificate = { readonly certFile: string; readonly keyFile: string }

/** A development certificate authority in a folder; made when it is not there. ECDSA P-256: libpq's SCRAM needs it. */
export async function certificateAuthority(dir: string): Promise<Certificate> {
  const files = { certFile: join(dir, 'ca.crt'), keyFile: join(dir, 'ca.key') }
  if (existsSync(files.certFile)) return files
  await mkdir(dir, { recursive: true, mode: 0o700 })
  await execute('openssl', [
    ...['req', '-x509', ...NEW_KEY, '-keyout', files.keyFile, '-out', files.certFile],
    ...['-days', '3650', '-subj', '/CN=Countersign development CA'],
    ...['-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
  ])
  await chmod(files.keyFile, 0o600)
  return files
}

/** A server certificate for this machine's loopback names, signed by the authority in the folder. */
export async function serverCertificate(dir: string, name: string): Promise<Certificate> {
  const ca = await certificateAuthority(dir)
  const files = { certFile: join(dir, `${name}.crt`), keyFile: join(dir, `${name}.key`) }
  if (existsSync(files.certFile)) return files
  const request = join(dir, `${name}.csr`)
  const extensions = join(dir, `${name}.ext`)
  await writeFile(extensions, EXTENSIONS)
  await execute('openssl', [
    'req',
    ...NEW_KEY,
    '-keyout',
    files.keyFile,
    '-out',
    request,
    '-subj',
    '/CN=localhost',
  ])
  await chmod(files.keyFile, 0o600)
  await execute('openssl', [
    ...[
      'x509',
      '-req',
      '-in',
      request,
      '-CA',
      ca.certFile,
      '-CAkey',
      ca.keyFile,
      '-CAcreateserial',
    ],
    ...['-sha256', '-days', '825', '-extfile', extensions, '-out', files.certFile],
  ])
  await Promise.all([rm(request), rm(extensions)])
  return files
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-sha256']
const EXTENSIONS = `subjectAltName=DNS:localhost,IP:127.0.0.1
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=serverAuth
`
