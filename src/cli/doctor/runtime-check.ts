/** Whether this Node can do the work: told by doing it once. */
import { sep } from 'node:path';
import { encodeUtf8, equalBytes } from '../../base/index.ts';
import { createNodeSuite } from '../../envelope/node.ts';
import { findPackageRoot, readVersion } from '../package-root.ts';
import { type Finding, ok, wrong } from './finding.ts';

const TEXT = encodeUtf8('sealdesk doctor');
const CONTEXT = encodeUtf8('sealdesk/doctor/v1');

export async function checkRuntime(): Promise<Finding[]> {
  const bundled = process.execPath.startsWith(`${findPackageRoot()}${sep}node_modules${sep}`);
  const node = `Sealdesk ${readVersion()}, Node ${process.version} (${bundled ? 'bundled' : 'the machine’s own'}), ${process.platform}-${process.arch}`;
  return [ok(node), await checkSuite()];
}

async function checkSuite(): Promise<Finding> {
  const openssl = `OpenSSL ${process.versions.openssl ?? 'unknown'}`;
  try {
    const suite = createNodeSuite();
    const kem = suite.importKemPrivateKey(suite.randomBytes(64));
    const { ciphertext, sharedSecret } = await kem.encapsulate();
    const sig = suite.importSigningKey(suite.randomBytes(32));
    const works =
      equalBytes(await kem.decapsulate(ciphertext), sharedSecret) &&
      (await sig.verify(TEXT, await sig.sign(TEXT, CONTEXT), CONTEXT));
    return works
      ? ok(`Suite ${suite.name} (native, ${openssl}): ML-KEM-768 and ML-DSA-65 work`)
      : wrong(`Suite ${suite.name} (${openssl}): ML-KEM-768 or ML-DSA-65 gives wrong results`);
  } catch {
    return wrong(`Native suite (${openssl}): ML-KEM-768 or ML-DSA-65 is missing; use Node 24.14.1 or newer.`);
  }
}
