import type { GraphDirectory } from './graph-session.ts';
import type { IntegrationAccess } from './integration-access.ts';
import type { SessionContext } from './session-context.ts';

/** The directory of the integration that `access` has admitted `sync_directory` on. */
export function createGraphDirectory(
  { deps: { store, keyring }, call }: SessionContext,
  access: IntegrationAccess,
): GraphDirectory {
  const { tenantId } = call.caller;
  const { integrationId } = access;
  const use = access.useOf('sync_directory');
  return Object.freeze<GraphDirectory>({
    ...{ tenantId, integrationId },
    read(resource, work) {
      use.note(resource);
      return use.watch(
        keyring.keysOf(tenantId).then((keys) => store.withTenant(tenantId, (tx) => work(tx, keys))),
      );
    },
  });
}
