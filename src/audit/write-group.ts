/**
 * Writing a group of events, its nodes and the head, if the head is still the one that the group was made for: by
 * one statement within a transaction under way, or by a few small ones that are a transaction and a round trip of their
 * own. The first of those moves the head; the others write only where they find it as that leaves it.
 */
import { SealdeskError } from '../base/index.ts';
import {
  arrayOf,
  createStatement,
  type StatementAnswer,
  type StatementValue,
  type Step,
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

/** Runs steps in one transaction. Resolves to the answer of the last. */
type RunSteps = <Row>(steps: readonly Step[]) => Promise<StatementAnswer<Row>>;

/**
 * Writes the group by one statement, or says why not. Throws AUDIT_UNAVAILABLE where an alarm stands.
 *
 * Without the head's lock a group may be found in the way of another's that was written meanwhile (HEAD_MOVED).
 */
export async function writeGroup(run: RunSteps, group: PlacedGroup): Promise<Judgement> {
  const { rows } = await run<Verdict>([[APPEND_GROUP, groupValues(group)]]);
  return judge(group, rows[0]);
}

/** The same in a transaction of its own, which `run` commits. Where an alarm stands the head counts as moved. */
export async function writeGroupAtOnce(run: RunSteps, group: PlacedGroup): Promise<Judgement> {
  const { count } = await run(stepsOf(group));
  if (count === group.events.length) return { kind: 'WRITTEN' };
  return group.closing.length === 0 ? { kind: 'HEAD_MOVED' } : writeGroup(run, group);
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

/** What {@link APPEND_GROUP} does, for a group behind another event; it does not tell why not. */
function stepsOf(group: PlacedGroup): readonly Step[] {
  const [event, ...others] = group.events;
  const isAlone = event?.phase === 'SINGLE' && others.length === 0;
  const moved = [group.tenantId, bufferOf(group.after.stored.mac)];
  const steps: Step[] = [];
  if (group.closing.length === 0) {
    steps.push([MOVE_HEAD, placeValues(group)]);
  } else {
    const closing = arrayOf(group.closing);
    steps.push([MOVE_HEAD_IF_OPEN, [...placeValues(group), closing]]);
    steps.push([CLOSE_INTENTS, [...moved, closing]]);
  }
  if (group.nodes.length > 0) steps.push([APPEND_NODES, [...moved, ...nodeValues(group)]]);
  if (group.events.some(({ phase }) => phase === 'INTENT')) {
    steps.push([OPEN_INTENTS, [...moved, ...openedValues(group)]]);
  }
  const placed = [...moved, String(group.before.stored.size)];
  if (isAlone) steps.push([APPEND_EVENT, [...placed, ...eventValues(group, event)]]);
  else steps.push([APPEND_EVENTS, [...placed, ...eventsValues(group)]]);
  return steps;
}

const MOVE_HEAD_TEXT = `UPDATE audit_heads h SET size = $6, frontier = $7, root = $8, mac = $9, updated_at = now()
  WHERE h.tenant_id = $1 AND h.size = $2 AND h.frontier = $3 AND h.root = $4 AND h.mac = $5
    AND h.size - 1 = (SELECT index FROM audit_events WHERE tenant_id = $1 ORDER BY index DESC LIMIT 1)
    AND h.stopped_epoch IS NULL`;

const MOVE_HEAD = createStatement('audit_move_head', MOVE_HEAD_TEXT, { hasRows: false });

const MOVE_HEAD_IF_OPEN = createStatement(
  'audit_move_head_if_open',
  `${MOVE_HEAD_TEXT}
    AND cardinality($10::text[]) = (
      SELECT count(*) FROM open_intents WHERE tenant_id = $1 AND intent_id = ANY($10::text[]))`,
  { hasRows: false },
);

/**
 * One row, locked, behind what moved the head. Where nothing did, none; but if this very group is in the log already
 * its head is there: its events are refused then, as what would be twice in the log.
 */
const MOVED = 'FROM audit_heads WHERE tenant_id = $1 AND mac = $2';

const APPEND_NODES = createStatement(
  'audit_append_nodes',
  `INSERT INTO audit_nodes (tenant_id, level, index, hash)
  SELECT $1, level, index, substr($3::bytea, (32 * place - 31)::int, 32)
  FROM (SELECT ${MOVED}) moved, unnest($4::smallint[], $5::bigint[]) WITH ORDINALITY AS n (level, index, place)`,
  { hasRows: false },
);

const OPEN_INTENTS = createStatement(
  'audit_open_intents',
  `INSERT INTO open_intents (intent_id, tenant_id, opened_at)
  SELECT id, $1, opened_at
  FROM (SELECT ${MOVED}) moved, unnest($3::text[], $4::timestamptz[]) AS i (id, opened_at)`,
  { hasRows: false },
);

const CLOSE_INTENTS = createStatement(
  'audit_close_intents',
  `DELETE FROM open_intents
  WHERE tenant_id = $1 AND intent_id = ANY($3::text[]) AND EXISTS (SELECT ${MOVED})`,
  { hasRows: false },
);

const APPEND_EVENT = createStatement(
  'audit_append_event',
  `INSERT INTO audit_events (tenant_id, index, id, leaf, leaf_hash, occurred_at, actor_id, phase,
    action, outcome, integration_id, operation, resource, request_id, denial_reason)
  SELECT $1, $3::bigint, $4, $5::bytea, $6::bytea, $7::timestamptz, $8, 'SINGLE', $9, $10, $11, $12, $13, $14, $15
  ${MOVED}`,
  { hasRows: false },
);

/** Of any number, taken apart as in {@link APPEND_GROUP}. */
const APPEND_EVENTS = createStatement(
  'audit_append_events',
  `INSERT INTO audit_events (tenant_id, index, id, leaf, leaf_hash, occurred_at, actor_id, phase,
    intent_id, action, outcome, integration_id, operation, resource, request_id, denial_reason)
  SELECT $1, $3::bigint + place - 1, id,
    substr($4::bytea, ($6::int[])[place], ($6::int[])[place + 1] - ($6::int[])[place]),
    substr($5::bytea, 32 * place - 31, 32),
    occurred_at, actor_id, phase, intent_id, action, outcome, integration_id, operation, resource, request_id,
    denial_reason
  FROM (
    SELECT generate_series(1, cardinality($6::int[]) - 1) AS place, unnest($7::text[]) AS id,
      unnest($8::timestamptz[]) AS occurred_at, unnest($9::text[]) AS actor_id, unnest($10::text[]) AS phase,
      unnest($11::text[]) AS intent_id, unnest($12::text[]) AS action, unnest($13::text[]) AS outcome,
      unnest($14::text[]) AS integration_id, unnest($15::text[]) AS operation, unnest($16::text[]) AS resource,
      unnest($17::text[]) AS request_id, unnest($18::text[]) AS denial_reason
    ${MOVED}
  ) told`,
  { hasRows: false },
);

/** Of {@link APPEND_EVENT}, from the fourth. */
function eventValues(group: PlacedGroup, event: SingleEvent): readonly StatementValue[] {
  const [leaf = new Uint8Array(0)] = group.leaves;
  const [leafHash = new Uint8Array(0)] = group.leafHashes;
  return [
    ...[event.id, bufferOf(leaf), bufferOf(leafHash), event.occurredAt, event.actor.id],
    ...[event.action, event.outcome, event.integrationId ?? null, event.operation ?? null],
    ...[event.resource ?? null, event.requestId ?? null, event.denialReason ?? null],
  ];
}

/** The parameters of {@link APPEND_GROUP}. */
function groupValues(group: PlacedGroup): readonly StatementValue[] {
  return [
    ...placeValues(group),
    arrayOf(group.closing),
    ...eventsValues(group),
    ...nodeValues(group),
    ...openedValues(group),
  ];
}

/** What stands in arrays is of alphabets without quotation marks. */
function eventsValues({ leaves, leafHashes, events }: PlacedGroup): readonly StatementValue[] {
  const starts = [1];
  for (const leaf of leaves) starts.push((starts.at(-1) ?? 0) + leaf.length);
  return [
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

/** A copy: to share the bytes of a small array costs more, since those get a place of their own first. */
function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes);
}

export function intentNotOpen(): SealdeskError {
  return new SealdeskError('CONFLICT', 'The intent has its outcome already, or was never opened.');
}

export function logEndsElsewhere(): SealdeskError {
  return auditBroken('The audit log does not end where its head says.');
}
