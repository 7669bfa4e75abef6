/** `/__simulator/users`: changing users past the API, and their true present state. */
import { z } from 'zod';
import { type ControlRequest, parseBody } from './control-input.ts';
import { json, type Reply, recordNotFound } from './reply.ts';
import type { Simulator } from './simulator.ts';
import type { UserDesk } from './user-desk.ts';

const fieldsSchema = z.record(z.string(), z.unknown());

const show = (simulator: Simulator, id: number): Reply => {
  const user = simulator.users.current(id);
  if (!user) throw recordNotFound();
  const { groupIds, sessionIds } = simulator.users;
  return json(200, { user, group_ids: groupIds(id), session_ids: sessionIds(id) });
};

/** Answers a call under `/users`; null when the path is not one of these. */
export const controlUsers = (simulator: Simulator, desk: UserDesk, request: ControlRequest): Reply | null => {
  if (request.path === '/users' && request.method === 'POST') {
    return desk.create(parseBody(fieldsSchema, request));
  }
  const match = /^\/users\/(\d{1,15})(?:\/(\w+))?$/.exec(request.path);
  if (!match) return null;
  const id = Number(match[1]);
  switch (`${request.method} ${match[2] ?? ''}`) {
    case 'GET ':
      return show(simulator, id);
    case 'POST ':
      return desk.change(id, parseBody(fieldsSchema, request));
    case 'DELETE ':
      return desk.delete(id);
    case 'POST scrub':
      return desk.scrub(id);
    case 'POST sign_in':
      return json(201, { session_id: desk.signIn(id) });
    default:
      return null;
  }
};
