import { describe, expect, it } from 'vitest';
import { priorityOf, roleOf, statusOf, typeOf } from '../../../schema/zendesk/enums.ts';

describe('an enum that Zendesk may add to', () => {
  it('answers what is new as OTHER, and what is missing as null', () => {
    for (const read of [statusOf, priorityOf, typeOf, roleOf]) {
      expect([read('scrubbed'), read('__proto__'), read('NEW'), read(''), read(null)]).toEqual([
        'OTHER',
        'OTHER',
        'OTHER',
        'OTHER',
        null,
      ]);
    }
  });

  it('answers Zendesk’s words as its values', () => {
    expect(['new', 'open', 'pending', 'hold', 'solved', 'closed', 'deleted'].map(statusOf)).toEqual([
      'NEW',
      'OPEN',
      'PENDING',
      'HOLD',
      'SOLVED',
      'CLOSED',
      'DELETED',
    ]);
    expect(['low', 'normal', 'high', 'urgent'].map(priorityOf)).toEqual(['LOW', 'NORMAL', 'HIGH', 'URGENT']);
    expect(['problem', 'incident', 'question', 'task'].map(typeOf)).toEqual([
      'PROBLEM',
      'INCIDENT',
      'QUESTION',
      'TASK',
    ]);
    expect(['end-user', 'agent', 'admin'].map(roleOf)).toEqual(['END_USER', 'AGENT', 'ADMIN']);
  });
});
