import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
// What a process may take for altered is a promise of its own, also towards processes of a newer version.
import { type EventRow, judgeEventRow } from '../../src/audit/event-row.ts';
import { encodeLeaf } from '../../src/audit/index.ts';
import { createId, encodeUtf8, parseUtf8 } from '../../src/base/index.ts';
import { outcomeOf } from './tenant-log.ts';

const event = { ...outcomeOf(createId('auditEvent')), tenantId: createId('tenant'), index: 7 };

function rowOf(leaf: Uint8Array, columns: Partial<EventRow> = {}): EventRow {
  return {
    ...{ tenant_id: event.tenantId, index: event.index, id: event.id, leaf },
    leaf_hash: createHash('sha256').update(Uint8Array.of(0)).update(leaf).digest(),
    ...{ occurred_at: new Date(event.occurredAt), actor_id: event.actor.id, phase: event.phase },
    ...{ intent_id: event.intentId, action: event.action, outcome: event.outcome },
    ...{ integration_id: null, operation: null, resource: null, request_id: null, denial_reason: null },
    ...columns,
  };
}

describe('A row of the log', () => {
  const leaf = encodeLeaf(event);
  const newer = encodeUtf8((parseUtf8(leaf) ?? '').replace('{', '{"aNewerMember":{"x":1},'));

  test('holds as it was written, also by a newer version with more members', () => {
    expect(judgeEventRow(rowOf(leaf))).toBe('HOLDS');
    expect(judgeEventRow(rowOf(newer))).toBe('HOLDS');
  });

  test.each([
    ['a leaf of another hash', { leaf: newer }],
    ['another hash', { leaf_hash: new Uint8Array(32) }],
    ['another tenant', { tenant_id: createId('tenant') }],
    ['another id', { id: createId('auditEvent') }],
    ['another time', { occurred_at: new Date(0) }],
    ['another actor', { actor_id: 'somebody' }],
    ['another phase', { phase: 'SINGLE' }],
    ['another intent', { intent_id: createId('auditEvent') }],
    ['no intent', { intent_id: null }],
    ['a resource', { resource: 'ticket:1' }],
    ['a request', { request_id: 'req_1' }],
    ['a reason', { denial_reason: 'FORBIDDEN' }],
    ['another action', { action: 'other' }],
    ['another outcome', { outcome: 'FAILED' }],
    ['an integration', { integration_id: createId('integration') }],
    ['an operation', { operation: 'search' }],
  ] as const)('is altered with %s', (_, columns) => {
    expect(judgeEventRow(rowOf(leaf, columns))).toBe('ALTERED');
  });

  test.each(['', '{}', '[]', 'null', '{"id":7}', '{'])('is altered with the leaf %j', (text) => {
    expect(judgeEventRow(rowOf(encodeUtf8(text)))).toBe('ALTERED');
  });

  test('is misplaced at another index', () => {
    expect(judgeEventRow(rowOf(leaf, { index: 8 }))).toBe('MISPLACED');
  });
});
