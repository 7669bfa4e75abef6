/** What still rests on an old key of the gateway: told from the database alone, without opening anything. */
import { z } from 'zod';
import { type Finding, note, ok } from './finding.ts';

/** Runs one statement and answers its rows. */
export type Query = (statement: string) => Promise<readonly unknown[]>;

const OLD_SIGNING_KEYS = `
  SELECT count(*)::int AS count FROM signing_keys s
  WHERE s.status IN ('ACTIVE', 'PENDING') AND s.not_before < now() - interval '1 year' AND NOT EXISTS (
    SELECT 1 FROM signing_keys n WHERE n.tenant_id = s.tenant_id AND n.version > s.version
      AND n.status IN ('ACTIVE', 'PENDING'))`;
const RUNNING_ROTATIONS = `
  SELECT what, count(*)::int AS count, max(failure) AS failure FROM key_rotations
  WHERE state = 'RUNNING' GROUP BY what ORDER BY what`;
const BY_KMS_KEY = `
  SELECT t.kms_key_ref AS own, r.kms_key_ref AS ref, count(*)::int AS count FROM (
    SELECT tenant_id, kms_key_ref FROM tenant_secrets
    UNION ALL SELECT tenant_id, kms_key_ref FROM credential_secrets
    UNION ALL SELECT tenant_id, kms_key_ref FROM access_tokens WHERE kms_key_ref IS NOT NULL) r
  JOIN tenants t ON t.id = r.tenant_id GROUP BY t.kms_key_ref, r.kms_key_ref ORDER BY r.kms_key_ref`;

const count = z.int().nonnegative();
const Counted = z.tuple([z.object({ count })]);
const Running = z.array(z.object({ what: z.enum(['VAULT', 'KMS']), count, failure: z.string().nullable() }));
const ByKey = z.array(z.object({ own: z.string().nullable(), ref: z.string(), count }));

/** `defaultKeyRef` is the KMS key of the configuration; `null` where it does not answer. */
export async function checkServerKeys(query: Query, defaultKeyRef: string | null): Promise<Finding[]> {
  const [{ count: old }] = Counted.parse(await query(OLD_SIGNING_KEYS));
  const running = Running.parse(await query(RUNNING_ROTATIONS));
  const left = oldKmsKeys(ByKey.parse(await query(BY_KMS_KEY)), defaultKeyRef);
  const findings = [
    ...(old === 0 ? [] : [oldSigningKeys(old)]),
    ...running.map(unfinished),
    ...[...left].map(([ref, records]) => restingOn(ref, records)),
  ];
  return findings.length > 0 ? findings : [ok('Server keys: nothing rests on an old one')];
}

/** Records by the key that they are to leave. Of an alias it cannot be told here which key it stands for. */
function oldKmsKeys(rows: z.infer<typeof ByKey>, defaultKeyRef: string | null): ReadonlyMap<string, number> {
  const left = new Map<string, number>();
  for (const { own, ref, count: records } of rows) {
    const wanted = own ?? defaultKeyRef;
    if (wanted === null || wanted.includes(':alias/') || wanted === ref) continue;
    left.set(ref, (left.get(ref) ?? 0) + records);
  }
  return left;
}

function oldSigningKeys(tenants: number): Finding {
  return note(
    `Server keys: ${tenants === 1 ? '1 tenant signs' : `${tenants} tenants sign`} with a key older than a year. sealdesk server-keys rotate signing changes it.`,
  );
}

function unfinished({ what, count: tenants, failure }: z.infer<typeof Running>[number]): Finding {
  const key = what === 'VAULT' ? 'vault key' : 'KMS key';
  const trouble = failure === null ? '' : ` The last attempt met ${failure}.`;
  return note(
    `Server keys: the ${key} of ${tenants === 1 ? '1 tenant' : `${tenants} tenants`} is being rotated; sealdesk server-keys status tells how far it is.${trouble}`,
  );
}

function restingOn(ref: string, records: number): Finding {
  return note(
    `Server keys: ${records === 1 ? '1 record rests' : `${records} records rest`} on the old KMS key ${ref}. Keep it until none does: a running gateway re-wraps them.`,
  );
}
