/** A directory with people of one's own choosing, and the questions of an admin to it. */

import { placeOf } from '../../src/directory/directory-keys.ts';
import { emailIndexOf, externalIdIndexOf } from '../../src/directory/index.ts';
import type { House } from '../service/house.ts';
import { type SealedGraphqlOptions, sealedGraphql } from '../support/sealed-graphql.ts';
import type { TestTenant } from '../support/tenant.ts';

export interface SeededPerson {
  readonly zendeskId: number;
  readonly role: 'end-user' | 'agent' | 'admin';
  readonly roleType: number | null;
  readonly customRoleId: number | null;
  readonly status: 'ACTIVE' | 'SUSPENDED' | 'DELETED';
  readonly organizationId: number | null;
  readonly hasTwoFactor: boolean | null;
  readonly lastSeenAt: Date | null;
  readonly createdAt: Date | null;
  readonly changedAt: Date;
  readonly groupIds: readonly number[];
  readonly name: string;
  readonly email: string | null;
  readonly externalId: string | null;
}

export interface SeededNames {
  readonly groups: ReadonlyMap<number, string>;
  readonly organizations: ReadonlyMap<number, string>;
  readonly customRoles: ReadonlyMap<number, string>;
}

const RUN = 'run_seeded';

/** Puts people and names into the directory of the tenant's integration, in place of what is there. */
export async function seedDirectory(
  { gateway }: Pick<House, 'gateway'>,
  { id: tenantId, integrationId }: Pick<TestTenant, 'id' | 'integrationId'>,
  people: readonly SeededPerson[],
  names: SeededNames,
): Promise<void> {
  const keys = await gateway.deps.keyring.keysOf(tenantId);
  const key = { integrationId };
  const own = { integration_id: integrationId, tenant_id: tenantId };
  const seen = { seen_run: RUN, changed_at: new Date(0), deleted_at: null };
  await gateway.store.withTenant(tenantId, async (tx) => {
    await tx.deleteFrom('directory_memberships').where('integration_id', '=', integrationId).execute();
    await tx.deleteFrom('directory_users').where('integration_id', '=', integrationId).execute();
    for (const [table, known] of [
      ['directory_groups', names.groups],
      ['directory_organizations', names.organizations],
      ['directory_custom_roles', names.customRoles],
    ] as const) {
      await tx.deleteFrom(table).where('integration_id', '=', integrationId).execute();
      const rows = [...known].map(([zendeskId, name]) => ({
        ...{ ...own, ...seen, zendesk_id: zendeskId, sealed_version: 1, digest: null },
        sealed: keys.sealText(placeOf(table, key, zendeskId, 1), JSON.stringify({ name })),
      }));
      await tx.insertInto(table).values(rows).execute();
    }
    const users = people.map((person) => {
      const { zendeskId, name, email, externalId } = person;
      const texts = JSON.stringify({ name, email, phone: null, externalId });
      return {
        ...own,
        zendesk_id: zendeskId,
        role: person.role,
        role_type: person.roleType,
        custom_role_id: person.customRoleId,
        role_since: new Date(1_700_000_000_000),
        is_role_since_exact: true,
        status: person.status,
        organization_id: person.organizationId,
        default_group_id: person.groupIds[0] ?? null,
        has_two_factor: person.hasTwoFactor,
        last_seen_at: person.lastSeenAt,
        created_at: person.createdAt,
        updated_at: person.createdAt,
        first_seen_run: RUN,
        seen_run: RUN,
        changed_at: person.changedAt,
        deleted_at: person.status === 'DELETED' ? new Date() : null,
        sealed: keys.sealText(placeOf('directory_users', key, zendeskId, 1), texts),
        sealed_version: 1,
        digest: null,
        email_index: email === null ? null : emailIndexOf(keys, integrationId, email),
        external_id_index: externalId === null ? null : externalIdIndexOf(keys, integrationId, externalId),
        erased_at: null,
      };
    });
    await tx.insertInto('directory_users').values(users).execute();
    const memberships = people.flatMap(({ zendeskId, groupIds }) =>
      groupIds.map((groupId) => ({
        ...own,
        zendesk_id: zendeskId * 100 + groupId,
        user_id: zendeskId,
        group_id: groupId,
        is_default: groupId === groupIds[0],
        seen_run: RUN,
      })),
    );
    await tx.insertInto('directory_memberships').values(memberships).execute();
  });
}

/** Asks sealed, as the tenant's admin for its client key. */
export function askAdmin(
  { gateway, tenant }: Pick<House, 'gateway' | 'tenant'>,
  query: string,
  variables: object = {},
  options: SealedGraphqlOptions = {},
) {
  return sealedGraphql(gateway, tenant, query, {
    apiKey: tenant.keys.admin,
    variables: { id: tenant.integrationId, ...variables },
    headers: { 'x-sealdesk-key': tenant.keyFile.key_id },
    ...options,
  });
}

/** The code of the first failure, `null` where there is none. */
export function failureIn(result: {
  readonly errors?: readonly { readonly extensions: { readonly code: string } }[];
}) {
  return result.errors?.[0]?.extensions.code ?? null;
}
