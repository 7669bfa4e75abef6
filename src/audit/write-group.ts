/**
 * The one statement that writes a group of events, its nodes and the head, if the head is still the one that the
 * group was made for. One event alone that opens and closes nothing, which is what a caller alone brings, has
 * statements of its own: starting the plan of the general one takes longer than all that it writes then.
 */
import { SealdeskError } from '../base/index.ts';
import {
  arrayOf,
  createStatement,
  type Statement,
  type StatementAnswer,
  type StatementValue,
} from '../store/index.ts';
import type { AuditEvent } from './audit-event.ts';
import { auditBroken, type StoredHead } from './audit-head.ts';
import type { PlacedGroup } from './placed-group.ts';

type SingleEvent = Extract<AuditEvent, { readonly phase: 'SINGLE' }>;

/** What became of a group. */
export type Judgement =
  | { readonly kind: 'WRITTEN' }
  /** Nothing was written: of the intents to close only `open` are open. */
  | { readonly kind: 'INTENTS_CLOSED'; readonly open: ReadonlySet<string> }
  /** Nothing was written: head or newest event are not those that the group was made for. */
  | { readonly kind: 'HEAD_MOVED' };

/** Runs one statement, in a transaction of its own or in one under way. */
export type RunStatement = <Row>(
  statement: Statement,
  values: readonly StatementValue[],
) => Promise<StatementAnswer<Row>>;

/**
 * Writes the group, or says why not. Throws AUDIT_UNAVAILABLE where an alarm stands.
 *
 * Without the head's lock a group may be found in the way of another's that was written meanwhile (HEAD_MOVED).
 */
export async function writeGroup(run: RunStatement, group: PlacedGroup): Promise<Judgement> {
  const [event, ...others] = group.events;
  if (event?.phase === 'SINGLE' && others.length === 0) {
    const statement = group.nodes.length === 0 ? APPEND_EVENT : APPEND_EVENT_AND_NODES;
    const { count } = await run(statement, eventValues(group, event));
    if (count === 1) return { kind: 'WRITTEN' };
  }
  const { rows } = await run<Verdict>(APPEND_GROUP, groupValues(group));
  return judge(group, rows[0]);
}

/**
 * Throws AUDIT_UNAVAILABLE where an alarm stands.
 *
 * An intent that is not open in the state that the group was made for will not be open later either: it was in the
 * log before anybody could close it.
 */
function judge({ before, closing }: PlacedGroup, verdict: Verdict | undefined): Judgement {
  if (verdict?.written === true) return { kind: 'WRITTEN' };
  if (verdict?.stopped === true) throw auditBroken('The audit log was found altered.');
  if (verdict === undefined || (verdict.newest ?? -1) !== before.frontier.size - 1)
    return { kind: 'HEAD_MOVED' };
  if (verdict.open.length === closing.length) return { kind: 'HEAD_MOVED' };
  return { kind: 'INTENTS_CLOSED', open: new Set(verdict.open) };
}

/** What {@link APPEND_GROUP} answers, one row. Nothing was written unless `written`. */
interface Verdict {
  readonly written: boolean;
  /** The index of the newest event before the group, `null` in an empty log. */
  readonly newest: number | null;
  /** Of the intents to close, those that are open. */
  readonly open: readonly string[];
  /** Whether an alarm stands. */
  readonly stopped: boolean;
}

/**
 * Writes the group if the stored head is `before` to the byte, the newest event is where that says, all intents to
 * close are open, and no alarm stands. Whoever moves the head first wins: the other statement waits for its row and
 * then finds it changed.
 *
 * Without the head's lock `newest` is of the time when the statement began, so that `written: false` may mean
 * that the head moved meanwhile; under it, taken by an earlier statement, everything is as it is. The parameters are
 * always as many, whatever the number of events; leaves go as one byte string and where in it each begins and the last
 * ends. Arrays are taken apart in step: as a table of many arrays, each would be kept aside by itself first.
 */
const APPEND_GROUP = createStatement(
  'audit_append',
  `WITH state AS (
    SELECT (SELECT max(index) FROM audit_events WHERE tenant_id = $1) AS newest,
      ARRAY(SELECT intent_id FROM open_intents WHERE tenant_id = $1 AND intent_id = ANY($10::text[])) AS open,
      EXISTS (SELECT 1 FROM audit_heads WHERE tenant_id = $1 AND stopped_epoch IS NOT NULL) AS stopped
  ), moved AS (
    UPDATE audit_heads h SET size = $6, frontier = $7, root = $8, mac = $9, updated_at = now()
    FROM state
    WHERE h.tenant_id = $1 AND h.size = $2 AND h.frontier = $3 AND h.root = $4 AND h.mac = $5
      AND coalesce(state.newest, -1) = h.size - 1 AND cardinality(state.open) = cardinality($10::text[])
      AND h.stopped_epoch IS NULL
    RETURNING 1 AS written
  ), told AS (
    SELECT generate_series(1, cardinality($13::int[]) - 1) AS place, unnest($14::text[]) AS id,
      unnest($15::timestamptz[]) AS occurred_at, unnest($16::text[]) AS actor_id, unnest($17::text[]) AS phase,
      unnest($18::text[]) AS intent_id, unnest($19::text[]) AS action, unnest($20::text[]) AS outcome,
      unnest($21::text[]) AS integration_id, unnest($22::text[]) AS operation, unnest($23::text[]) AS resource,
      unnest($24::text[]) AS request_id, unnest($25::text[]) AS denial_reason
    FROM moved
  ), events AS (
    SELECT $2::bigint + place - 1 AS index, id,
      substr($11::bytea, ($13::int[])[place], ($13::int[])[place + 1] - ($13::int[])[place]) AS leaf,
      substr($12::bytea, 32 * place - 31, 32) AS leaf_hash,
      occurred_at, actor_id, phase, intent_id, action, outcome, integration_id, operation, resource, request_id,
      denial_reason
    FROM told
  ), appended AS (
    INSERT INTO audit_events (tenant_id, index, id, leaf, leaf_hash, occurred_at, actor_id, phase,
      intent_id, action, outcome, integration_id, operation, resource, request_id, denial_reason)
    SELECT $1, index, id, leaf, leaf_hash, occurred_at, actor_id, phase,
      intent_id, action, outcome, integration_id, operation, resource, request_id, denial_reason
    FROM events
  ), grown AS (
    INSERT INTO audit_nodes (tenant_id, level, index, hash)
    SELECT $1, level, index, substr($26::bytea, (32 * place - 31)::int, 32)
    FROM moved, unnest($27::smallint[], $28::bigint[]) WITH ORDINALITY AS n (level, index, place)
  ), opened AS (
    INSERT INTO open_intents (intent_id, tenant_id, opened_at)
    SELECT id, $1, opened_at FROM moved, unnest($29::text[], $30::timestamptz[]) AS i (id, opened_at)
  ), closed AS (
    DELETE FROM open_intents USING moved WHERE tenant_id = $1 AND intent_id = ANY($10::text[])
  )
  SELECT newest, open, stopped, EXISTS (SELECT 1 FROM moved) AS written FROM state`,
);

const MOVED = `UPDATE audit_heads h SET size = $6, frontier = $7, root = $8, mac = $9, updated_at = now()
    FROM (SELECT index FROM audit_events WHERE tenant_id = $1 ORDER BY index DESC LIMIT 1) newest
    WHERE h.tenant_id = $1 AND h.size = $2 AND h.frontier = $3 AND h.root = $4 AND h.mac = $5
      AND newest.index = h.size - 1
      AND h.stopped_epoch IS NULL
    RETURNING 1`;

const ONE_APPENDED = `INSERT INTO audit_events (tenant_id, index, id, leaf, leaf_hash, occurred_at, actor_id, phase,
    action, outcome, integration_id, operation, resource, request_id, denial_reason)
  SELECT $1, $2::bigint, $10, $11::bytea, $12::bytea, $13::timestamptz, $14, 'SINGLE',
    $15, $16, $17, $18, $19, $20, $21
  FROM moved`;

/**
 * What {@link APPEND_GROUP} does, for one SINGLE event that completes no node of the tree, behind another; it does not
 * tell why not.
 */
const APPEND_EVENT = createStatement(
  'audit_append_event',
  `WITH moved AS (${MOVED})
  ${ONE_APPENDED}`,
  { hasRows: false },
);

/** The same for one that does. */
const APPEND_EVENT_AND_NODES = createStatement(
  'audit_append_event_and_nodes',
  `WITH moved AS (${MOVED}), grown AS (
    INSERT INTO audit_nodes (tenant_id, level, index, hash)
    SELECT $1, level, index, substr($22::bytea, (32 * place - 31)::int, 32)
    FROM moved, unnest($23::smallint[], $24::bigint[]) WITH ORDINALITY AS n (level, index, place)
  )
  ${ONE_APPENDED}`,
  { hasRows: false },
);

/** The parameters of {@link APPEND_EVENT}, and where nodes are completed those of {@link APPEND_EVENT_AND_NODES}. */
function eventValues(group: PlacedGroup, event: SingleEvent): readonly StatementValue[] {
  const [leaf = new Uint8Array(0)] = group.leaves;
  const [leafHash = new Uint8Array(0)] = group.leafHashes;
  return [
    ...placeValues(group),
    ...[event.id, bufferOf(leaf), bufferOf(leafHash), event.occurredAt, event.actor.id],
    ...[event.action, event.outcome, event.integrationId ?? null, event.operation ?? null],
    ...[event.resource ?? null, event.requestId ?? null, event.denialReason ?? null],
    ...(group.nodes.length === 0 ? [] : nodeValues(group)),
  ];
}

/** The parameters of {@link APPEND_GROUP}. What stands in arrays is of alphabets without quotation marks. */
function groupValues(group: PlacedGroup): readonly StatementValue[] {
  const { closing, leaves, leafHashes, events } = group;
  const starts = [1];
  for (const leaf of leaves) starts.push((starts.at(-1) ?? 0) + leaf.length);
  return [
    ...placeValues(group),
    arrayOf(closing),
    Buffer.concat(leaves),
    Buffer.concat(leafHashes),
    arrayOf(starts),
    arrayOf(events.map(({ id }) => id)),
    arrayOf(events.map(({ occurredAt }) => occurredAt)),
    arrayOf(events.map(({ actor }) => actor.id)),
    arrayOf(events.map(({ phase }) => phase)),
    arrayOf(events.map((event) => (event.phase === 'OUTCOME' ? event.intentId : null))),
    arrayOf(events.map(({ action }) => action)),
    arrayOf(events.map((event) => (event.phase === 'INTENT' ? null : event.outcome))),
    arrayOf(events.map(({ integrationId }) => integrationId ?? null)),
    arrayOf(events.map(({ operation }) => operation ?? null)),
    arrayOf(events.map(({ resource }) => resource ?? null)),
    arrayOf(events.map(({ requestId }) => requestId ?? null)),
    arrayOf(events.map(({ denialReason }) => denialReason ?? null)),
    ...nodeValues(group),
    ...openedValues(group),
  ];
}

/** Whose log it is, and its head before and after. */
function placeValues({ tenantId, before, after }: PlacedGroup): readonly StatementValue[] {
  return [tenantId, ...headValues(before.stored), ...headValues(after.stored)];
}

function nodeValues({ nodes }: PlacedGroup): readonly StatementValue[] {
  return [
    Buffer.concat(nodes.map(({ hash }) => hash)),
    arrayOf(nodes.map(({ level }) => level)),
    arrayOf(nodes.map(({ index }) => index)),
  ];
}

/** The intents that the group opens, told apart from its events: what is read twice would be kept aside as a whole. */
function openedValues({ events }: PlacedGroup): readonly StatementValue[] {
  const opening = events.filter(({ phase }) => phase === 'INTENT');
  return [arrayOf(opening.map(({ id }) => id)), arrayOf(opening.map(({ occurredAt }) => occurredAt))];
}

function headValues({ size, frontier, root, mac }: StoredHead): readonly StatementValue[] {
  return [String(size), bufferOf(frontier), bufferOf(root), bufferOf(mac)];
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

export function intentNotOpen(): SealdeskError {
  return new SealdeskError('CONFLICT', 'The intent has its outcome already, or was never opened.');
}

export function logEndsElsewhere(): SealdeskError {
  return auditBroken('The audit log does not end where its head says.');
}
