/** What passes is tried again, later each time, from the place that was reached; what does not is thrown. */
import { describe, expect, it } from 'vitest';
import { GatewayAnswerError, SealdeskError } from '../../../src/client/index.ts';
import { changed } from './feed-log.ts';
import type { FeedScript } from './feed-server.ts';
import { type FeedRig, openRig, reasonsOf, TRANSPORTS, take } from './rig.ts';

async function openLoggedRig(transport: (typeof TRANSPORTS)[number] = 'WEBSOCKET'): Promise<FeedRig> {
  const rig = await openRig(transport);
  rig.log.append(changed(1), changed(2), changed(3));
  return rig;
}

const PASSING = [
  'TOO_MANY_REQUESTS',
  'UPSTREAM_UNAVAILABLE',
  'UPSTREAM_RATE_LIMITED',
  'BUDGET_EXHAUSTED',
  'AUDIT_UNAVAILABLE',
  'KMS_UNAVAILABLE',
  'INTERNAL',
];
const FATAL = [
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'OPERATION_NOT_ALLOWED',
  'VALIDATION_FAILED',
  'NOT_FOUND',
  'CONFLICT',
  'CLIENT_KEY_NOT_MAPPED',
  'KEY_REVOKED',
  'SEALED_RESPONSE_REQUIRED',
];

describe.each(TRANSPORTS)('a subscription over %s', (transport) => {
  it('goes on from the place that was reached', async () => {
    const rig = await openLoggedRig(transport);
    const oneEach: FeedScript = async (serving) => {
      const place = serving.after === rig.log.cursor(0) ? 0 : 1;
      await rig.deliver(serving, await rig.log.position(place));
      await rig.deliver(serving, await rig.log.change(place + 1));
      serving.close(1006);
    };
    rig.server.scripts = [oneEach, oneEach, rig.serveAll];
    await using changes = rig.follow();
    await take(changes, 3);
    expect(rig.server.cursors).toEqual([0, 1, 2].map((place) => rig.log.cursor(place)));
    expect(reasonsOf(rig.states)).toEqual(['CONNECTION_LOST', 'CONNECTION_LOST']);
  });

  it.each(PASSING)('that is refused with %s is tried again', async (code) => {
    const rig = await openLoggedRig(transport);
    rig.server.scripts = [async (serving) => serving.fail(code), rig.serveAll];
    await using changes = rig.follow();
    expect(await take(changes, 3)).toHaveLength(3);
    expect(reasonsOf(rig.states)).toEqual([code]);
  });

  it.each(FATAL)('that is refused with %s ends with that', async (code) => {
    const rig = await openLoggedRig(transport);
    rig.server.scripts = [async (serving) => serving.fail(code, { subject: 'key_x', auditEventId: 'aud_x' })];
    await using changes = rig.follow();
    const error = await changes.next().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(SealdeskError);
    expect(error).toMatchObject({
      code,
      message: `Refused with ${code}.`,
      details: { subject: 'key_x', auditEventId: 'aud_x' },
    });
    expect(await changes.next()).toEqual({ done: true, value: undefined });
  });

  it('ends in the middle with what ends its key', async () => {
    const rig = await openLoggedRig(transport);
    rig.server.scripts = [
      async (serving) => {
        await rig.deliver(serving, await rig.log.position(0));
        await rig.deliver(serving, await rig.log.change(1));
        serving.fail('KEY_REVOKED');
      },
    ];
    await using changes = rig.follow();
    await take(changes, 1);
    await expect(changes.next()).rejects.toMatchObject({ code: 'KEY_REVOKED' });
    expect(changes.cursor).toBe(rig.log.cursor(1));
  });

  it('that the gateway completes is begun anew', async () => {
    const rig = await openLoggedRig(transport);
    rig.server.scripts = [async (serving) => serving.complete(), rig.serveAll];
    await using changes = rig.follow();
    expect(await take(changes, 3)).toHaveLength(3);
  });

  it.each([
    ['no event', { data: { ticketChanges: { __typename: 'Other', cursor: 'a', sequence: 1 } } }],
    ['no sequence', { data: { ticketChanges: { __typename: 'FeedPosition', cursor: 'a', sequence: '1' } } }],
    ['no cursor', { data: { ticketChanges: { __typename: 'FeedPosition', sequence: 1 } } }],
    ['no time', { data: { ticketChanges: { __typename: 'TicketChange', cursor: 'a', sequence: 1 } } }],
    ['nothing', { data: null }],
    ['null', { data: { ticketChanges: null } }],
    ['an error without a code', { errors: [{ message: 'x\u001b[2Jy' }] }],
  ])('that brings %s is begun anew, and never shows what a terminal obeys', async (_name, result) => {
    const rig = await openLoggedRig(transport);
    rig.server.scripts = [async (serving) => serving.sendResult(result), rig.serveAll];
    await using changes = rig.follow();
    expect(await take(changes, 3)).toHaveLength(3);
    expect(reasonsOf(rig.states)).toEqual(['GATEWAY_ANSWER']);
    for (const state of rig.states) {
      if (state.kind === 'WAITING') expect(state.error.message).not.toContain('\u001b');
    }
  });
});

describe('the pauses between attempts', () => {
  const refuse: FeedScript = async (serving) => serving.close(1006);

  it('double up to half a minute, spread by chance, and begin anew after progress', async () => {
    for (const [random, factor] of [
      [0, 0.5],
      [0.999, 0.9995],
    ] as const) {
      const rig = await openLoggedRig();
      const progress: FeedScript = async (serving) => {
        await rig.deliver(serving, await rig.log.position(0));
        await rig.deliver(serving, await rig.log.change(1));
        serving.close(1006);
      };
      rig.server.scripts = [...Array<FeedScript>(7).fill(refuse), progress, refuse, rig.serveAll];
      await using changes = rig.follow({ random: () => random });
      await take(changes, 3);
      const whole = [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 1_000, 2_000];
      expect(rig.clock.pauses).toEqual(whole.map((pause) => pause * factor));
      const told = rig.states.flatMap((state) => (state.kind === 'WAITING' ? [state.milliseconds] : []));
      expect(told).toEqual(rig.clock.pauses);
    }
  });

  it('do not begin anew by a position alone, but by one that confirms that nothing is missing', async () => {
    const rig = await openLoggedRig();
    const positionOnly: FeedScript = async (serving) => {
      await rig.deliver(serving, await rig.log.position(3));
      serving.close(1006);
    };
    const idle: FeedScript = async (serving) => {
      await rig.deliver(serving, await rig.log.position(3));
      await rig.deliver(serving, await rig.log.position(3));
      serving.close(1006);
    };
    const last: FeedScript = async () => void changes.return();
    rig.server.scripts = [positionOnly, positionOnly, idle, refuse, last];
    await using changes = rig.follow({ after: rig.log.cursor(3) });
    expect(await changes.next()).toEqual({ done: true, value: undefined });
    expect(rig.clock.pauses).toEqual([500, 1_000, 500, 1_000]);
  });

  it.each([
    [7, 7_500],
    [3_600, 300_500],
    [-5, 500],
  ])('are as long as the gateway asks, up to a bound: %i seconds', async (retryAfter, pause) => {
    const rig = await openLoggedRig();
    rig.server.scripts = [async (serving) => serving.fail('TOO_MANY_REQUESTS', { retryAfter }), rig.serveAll];
    await using changes = rig.follow();
    await take(changes, 3);
    expect(rig.clock.pauses).toEqual([pause]);
  });

  it('give the published signing keys time to be read before an unknown signer is called a forger', async () => {
    const rig = await openLoggedRig();
    const forged: FeedScript = async (serving) => {
      const event = await rig.log.position(0);
      await rig.deliver(serving, { ...event, envelope: null as never });
    };
    rig.server.scripts = [forged];
    await using changes = rig.follow();
    await expect(changes.next()).rejects.toMatchObject({ violation: 'FORGED' });
    expect(rig.clock.pauses).toEqual([500, 61_000]);
  });
});

/** What ends the iterator, or else is why it waited first. */
async function firstFailure(rig: FeedRig): Promise<unknown> {
  await using changes = rig.follow();
  const error = await take(changes, 3).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  const [waiting] = rig.states.filter((state) => state.kind === 'WAITING');
  return error ?? waiting?.error;
}

describe('a WebSocket that is closed', () => {
  const reasonOf = async (code: number, reason: string): Promise<unknown> => {
    const rig = await openLoggedRig();
    rig.server.scripts = [async (serving) => serving.close(code, reason), rig.serveAll];
    return firstFailure(rig);
  };

  it.each([
    [4401, 'UNAUTHENTICATED The API key has ended.', 'UNAUTHENTICATED'],
    [4401, '', 'UNAUTHENTICATED'],
    [4403, 'KEY_REVOKED This client key was revoked.', 'KEY_REVOKED'],
    [4403, 'CLIENT_KEY_NOT_MAPPED Map it.', 'CLIENT_KEY_NOT_MAPPED'],
    [4403, 'Forbidden', 'FORBIDDEN'],
  ])('with %i "%s" has ended for good', async (code, reason, expected) => {
    const error = await reasonOf(code, reason);
    expect(error).toBeInstanceOf(SealdeskError);
    expect(error).toMatchObject({ code: expected });
    if (reason !== '') expect(String(error)).toContain(reason);
  });

  it.each([
    [1013, 'later', 'TOO_MANY_REQUESTS'],
    [1012, 'The gateway stops.', 'CONNECTION_LOST'],
    [1000, '', 'CONNECTION_LOST'],
    [1006, '', 'CONNECTION_LOST'],
    [1009, 'too big', 'CONNECTION_LOST'],
    [4400, 'bad', 'CONNECTION_LOST'],
    [4500, '', 'CONNECTION_LOST'],
  ])('with %i "%s" is opened again', async (code, reason, expected) => {
    expect(await reasonOf(code, reason)).toMatchObject({ code: expected });
  });
});

describe('server-sent events that are refused', () => {
  const refusedWith = async (response: () => Response): Promise<unknown> => {
    const rig = await openLoggedRig('SSE');
    rig.server.refuse = () => {
      rig.server.refuse = null;
      return response();
    };
    return firstFailure(rig);
  };
  const coded = (code: string, status: number) => () =>
    Response.json({ errors: [{ message: 'No.', extensions: { code, retryAfter: 3 } }] }, { status });

  it('with a code that does not pass end with it', async () => {
    expect(await refusedWith(coded('UNAUTHENTICATED', 401))).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(await refusedWith(coded('CONFLICT', 409))).toMatchObject({
      code: 'CONFLICT',
      details: { retryAfter: 3 },
    });
  });

  it('with a code that passes, or by a proxy that stands in for the gateway, are tried again', async () => {
    expect(await refusedWith(coded('KMS_UNAVAILABLE', 503))).toMatchObject({ code: 'KMS_UNAVAILABLE' });
    const byProxy = await refusedWith(() => new Response('<html>', { status: 502 }));
    expect(byProxy).toBeInstanceOf(GatewayAnswerError);
    expect(String(byProxy)).toContain('502');
    expect(await refusedWith(() => Response.json({ data: {} }))).toBeInstanceOf(GatewayAnswerError);
    expect(await refusedWith(() => Response.error())).toBeInstanceOf(GatewayAnswerError);
  });

  it('by a network that is not there are tried again', async () => {
    const thrown = await refusedWith(() => {
      throw new TypeError('fetch failed', { cause: new Error('ECONNREFUSED') });
    });
    expect(thrown).toMatchObject({ code: 'CONNECTION_LOST', cause: { message: 'fetch failed' } });
  });
});
