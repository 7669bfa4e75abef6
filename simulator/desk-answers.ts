/** The answers of the desks as a program wants them: values and RangeErrors. */
import { Refusal, type Reply } from './reply.ts';
import { isRecord } from './validation.ts';

/** Runs a change for a program: what the API would refuse is a RangeError with its answer. */
export const assertDone = (work: () => Reply): Reply => {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { status, body } = error.reply;
    const text = body.kind === 'json' ? JSON.stringify(body.value) : '';
    throw new RangeError(`the change was refused with ${status} ${text}`);
  }
};

/** The id of what was created, which the answer holds under `name`. */
export const createdId = ({ body }: Reply, name: string): number => {
  const created = body.kind === 'json' && isRecord(body.value) ? body.value[name] : undefined;
  if (isRecord(created) && typeof created['id'] === 'number') return created['id'];
  throw new RangeError(`the answer to a creation names no ${name}`);
};
