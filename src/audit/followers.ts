/**
 * News of a log: while somebody follows it, every append tells so (channel `audited`). Where nobody does,
 * appending pays nothing for it.
 */
import { sql } from 'kysely';
import type { Tx } from '../store/index.ts';

/** How long a log is taken as followed after it was last said to be. */
export const FOLLOWED_MS = 30_000;

/** Says that somebody follows the log for {@link FOLLOWED_MS} from now. */
export async function noteFollowed(tx: Tx, tenantId: string): Promise<void> {
  await sql`
    UPDATE audit_heads SET followed_until = clock_timestamp() + ${FOLLOWED_MS} * interval '1 millisecond'
    WHERE tenant_id = ${tenantId}`.execute(tx);
}
