import type { Call, Services } from '../../service/index.ts';
import { type Answer, streamAnswer } from '../answer.ts';

/** The id of the export follows. */
export const AUDIT_EXPORT_PATH = '/api/v2/audit/exports/';

/** One JSON value a line: https://github.com/ndjson/ndjson-spec */
const NDJSON = 'application/x-ndjson';

/**
 * `GET /api/v2/audit/exports/{id}`: 200 and the bundle, made while it is read. Where it cannot be made to its end the
 * connection is cut, and what came lacks its last line.
 */
export async function auditExportRoute(services: Services, call: Call, path: string): Promise<Answer> {
  const id = path.slice(AUDIT_EXPORT_PATH.length);
  const chunks = await services.downloadAuditExport(call, id);
  const { headers, ...answer } = streamAnswer(`${NDJSON}; charset=utf-8`, {
    kind: 'FILE',
    chunks,
    heartbeat: null,
    // What is under way when the gateway stops is finished like any other answer.
    end: () => undefined,
  });
  return { ...answer, headers: { ...headers, 'content-disposition': `attachment; filename="${id}.ndjson"` } };
}
