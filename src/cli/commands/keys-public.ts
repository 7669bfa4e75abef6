import { writeFile } from 'node:fs/promises';
import { encodeBase64, isId } from '../../base/index.ts';
import { importKeys, type KeyFile, publicJwkSet } from '../../client/index.ts';
import { type Suite, signRegistration } from '../../envelope/index.ts';
import { createNodeSuite } from '../../envelope/node.ts';
import { readClientKeyFile } from '../client-key-file.ts';
import { defineCommand } from '../command.ts';
import { UsageError } from '../command-error.ts';

export const command = defineCommand({
  positionals: ['FILE'],
  options: {
    out: { type: 'string', value: 'FILE', help: 'write to this file, which must not exist yet' },
    tenant: {
      type: 'string',
      value: 'TENANT_ID',
      help: 'print the input of registerClientKey instead, with its proof',
    },
  },
  description: `
Prints the public half of the client key in FILE as a JWK Set, to be handed over. With --tenant it prints
the whole input of the mutation registerClientKey: the JWK Set and a proof that its owner wants to be
registered with this tenant. The proof stands for 10 minutes; whoever has an API key of the tenant can
send it, and hands back the welcome for sealdesk keys accept.`,
  async run({ values, positionals: [file = ''] }, { terminal }) {
    const { out, tenant } = values;
    if (tenant !== undefined && !isId('tenant', tenant)) {
      throw new UsageError(`--tenant takes the id of a tenant, got '${tenant}'.`);
    }
    const suite = createNodeSuite();
    const keyFile = await readClientKeyFile(suite, file);
    const jwks = publicJwkSet(suite, keyFile);
    const shown = tenant === undefined ? jwks : { jwks, ...(await proofFor(suite, keyFile, tenant)) };
    const text = `${JSON.stringify(shown, null, 2)}\n`;
    if (out === undefined) terminal.write(text);
    else await writeFile(out, text, { flag: 'wx' });
    return 0;
  },
});

async function proofFor(
  suite: Suite,
  keyFile: KeyFile,
  tenantId: string,
): Promise<{ readonly issuedAt: number; readonly proof: string }> {
  const { kem, sig } = importKeys(suite, keyFile);
  const issuedAt = Math.floor(Date.now() / 1000);
  const claim = { tenant_id: tenantId, kem_kid: kem.kid, sig_kid: sig.kid, issued_at: issuedAt };
  return { issuedAt, proof: encodeBase64(await signRegistration(sig, claim)) };
}
