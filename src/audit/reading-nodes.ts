import { isSealdeskError } from '../base/index.ts';
import { AuditFault } from './alarms.ts';

/**
 * Runs `work`, which reads nodes of the stored tree. That one is missing is a fault of the log; a database
 * that fails says so by an error of its own, which no code of ours has translated inside a transaction.
 */
export async function readingNodes<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isSealdeskError(error, 'AUDIT_UNAVAILABLE') ? new AuditFault('TREE_ALTERED') : error;
  }
}
