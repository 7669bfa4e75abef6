/** `/__simulator/tickets`: changing tickets past the API, their true present state and their history. */
import { z } from 'zod';
import { type ControlRequest, parseBody } from './control-input.ts';
import { coded, empty, json, Refusal, type Reply, recordNotFound } from './reply.ts';
import type { Simulator } from './simulator.ts';
import type { TicketDesk } from './ticket-desk.ts';

const MAX_IDS = 1000;

const fieldsSchema = z.record(z.string(), z.unknown());
const mergeSchema = z.strictObject({ ids: z.array(z.number().int()).min(1).max(100) });

const parseIds = (text: string): number[] => {
  const ids = text.split(',').filter(Boolean);
  if (ids.length === 0 || ids.length > MAX_IDS || !ids.every((id) => /^\d{1,15}$/.test(id))) {
    throw new Refusal(coded(400, 'InvalidControl', `ids must be 1 to ${MAX_IDS} ids, separated by commas`));
  }
  return ids.map(Number);
};

const historyOf = (simulator: Simulator, id: number): Reply => {
  const versions = simulator.history(id);
  if (versions.length === 0) throw recordNotFound();
  return json(200, { versions });
};

const act = (
  simulator: Simulator,
  desk: TicketDesk,
  id: number,
  action: string,
  request: ControlRequest,
): Reply | null => {
  switch (`${request.method} ${action}`) {
    case 'GET ': {
      const ticket = desk.current(id);
      if (!ticket) throw recordNotFound();
      return json(200, { ticket });
    }
    case 'POST ':
      return desk.change(id, parseBody(fieldsSchema, request));
    case 'DELETE ':
      return desk.delete(id);
    case 'POST restore':
      return desk.restore(id);
    case 'POST scrub':
      return desk.scrub(id);
    case 'POST merge':
      return desk.merge(id, parseBody(mergeSchema, request).ids);
    case 'POST system_update':
      return empty(desk.systemUpdate(id) ? 204 : 404);
    case 'GET history':
      return historyOf(simulator, id);
    default:
      return null;
  }
};

/** Answers a call under `/tickets`; null when the path is not one of these. */
export const controlTickets = (
  simulator: Simulator,
  desk: TicketDesk,
  request: ControlRequest,
): Reply | null => {
  if (request.path === '/tickets' && request.method === 'GET') {
    const ids = parseIds(request.query.get('ids') ?? '');
    return json(200, { tickets: ids.map((id) => desk.current(id)).filter((ticket) => ticket !== null) });
  }
  if (request.path === '/tickets' && request.method === 'POST') {
    return desk.create(parseBody(fieldsSchema, request));
  }
  const match = /^\/tickets\/(\d{1,15})(?:\/(\w+))?$/.exec(request.path);
  return match && act(simulator, desk, Number(match[1]), match[2] ?? '', request);
};
