import { type Bytes, parseBase64 } from '../base/index.ts';
import { awaitSigningKeys, usePrivateJwkSet } from '../envelope/index.ts';
import { type ClientKey, describeClientKey, keepSeeds, withWelcomeOf } from './client-key.ts';
import { malformedPins, parseKeyFileJson, readKeyFileMembers } from './key-file.ts';
import { loadSuite } from './load-suite.ts';

/**
 * The client key in the text of a key file, as `sealdesk keys register` writes it. Its private halves are
 * taken into the platform, as far as it has the algorithms; the text stays the caller's to guard. Throws
 * VALIDATION_FAILED, naming the member, for whatever `parseKeyFileText` refuses.
 */
export async function clientKeyFromFile(text: string): Promise<ClientKey> {
  const { keys, welcome, signingKeys, logKeys } = readKeyFileMembers(parseKeyFileJson(text));
  const suite = await loadSuite();
  const fresh = await usePrivateJwkSet(suite, { keys }, async (handles, seeds) =>
    describeClientKey(suite, handles, await keepSeeds(suite, seeds)),
  );
  if (welcome === null) return fresh;
  const pins = await awaitSigningKeys(suite, signingKeys);
  if (pins === null) throw malformedPins();
  const macKey: Bytes = parseBase64(welcome.mac_key) ?? new Uint8Array(0);
  try {
    return await withWelcomeOf(suite, fresh, {
      gatewayUrl: welcome.gateway,
      tenantId: welcome.tenant_id,
      keyId: welcome.key_id,
      macKey,
      signingKeys: pins,
      ...(logKeys === null ? {} : { logKeys }),
    });
  } finally {
    macKey.fill(0);
  }
}
