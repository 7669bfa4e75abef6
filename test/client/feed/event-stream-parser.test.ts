import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventStreamParser } from '../../../src/client/feed/event-stream-parser.ts';
import { GatewayAnswerError } from '../../../src/client/index.ts';

const parse = (pieces: readonly string[]) => {
  const parser = new EventStreamParser();
  return pieces.flatMap((piece) => parser.push(piece));
};

const LINE = fc.stringMatching(/^[^\r\n]{0,12}$/);
const END = fc.constantFrom('\n', '\r\n', '\r');

describe('server-sent events', () => {
  it.each([
    ['event: next\ndata: {"a":1}\n\n', [{ event: 'next', data: '{"a":1}' }]],
    [
      'event:next\ndata:{}\r\n\r\nevent: complete\ndata:\n\n',
      [
        { event: 'next', data: '{}' },
        { event: 'complete', data: '' },
      ],
    ],
    [':\n\n: heartbeat\n\ndata: a\ndata\ndata:  b\n\n', [{ event: '', data: 'a\n\n b' }]],
    ['id: 1\nretry: 5\nother\n\ndata: x', []],
    ['event: next\n\n', [{ event: 'next', data: '' }]],
  ])('are read out of %j', (text, events) => {
    expect(parse([text])).toEqual(events);
  });

  it('are the same however the text is cut and its lines end', () => {
    const events = fc.array(
      fc.record({
        event: fc.constantFrom('next', 'complete'),
        data: fc.array(LINE, { minLength: 1, maxLength: 3 }),
      }),
    );
    fc.assert(
      fc.property(events, END, fc.array(fc.nat({ max: 200 })), (sent, end, cuts) => {
        const text = sent
          .map(({ event, data }) =>
            [':', `event: ${event}`, ...data.map((line) => `data: ${line}`), '', ''].join(end),
          )
          .join('');
        const places = [...new Set(cuts.map((cut) => Math.min(cut, text.length)))].toSorted((a, b) => a - b);
        const pieces = [0, ...places].map((place, index, all) => text.slice(place, all[index + 1]));
        expect(parse(pieces)).toEqual(sent.map(({ event, data }) => ({ event, data: data.join('\n') })));
      }),
    );
  });

  it('that never end are given up, however they are made', () => {
    const piece = 'x'.repeat(1024 * 1024);
    for (const lines of [piece, `data: ${piece}\n`]) {
      const parser = new EventStreamParser();
      expect(() => {
        for (let count = 0; count < 26; count += 1) parser.push(lines);
      }).toThrow(GatewayAnswerError);
    }
    const comments = new EventStreamParser();
    for (let count = 0; count < 30; count += 1) comments.push(`:${piece}\n`);
    expect(comments.push('data: a\n\n')).toEqual([{ event: '', data: 'a' }]);
  });
});
