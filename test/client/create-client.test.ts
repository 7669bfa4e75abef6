import fc from 'fast-check';
import { parse, print } from 'graphql';
import { beforeAll, beforeEach, describe, expect, expectTypeOf, it } from 'vitest';
import { documentText } from '../../src/client/document-text.ts';
import { createClient, GatewayAnswerError, type SealdeskClient } from '../../src/client/index.ts';
import { createSealingGateway, type SealingGateway, sealed, URL_OF_GATEWAY } from './sealing-gateway.ts';

interface TicketDocument {
  __apiType?: (variables: { id: string }) => { ticket: { subject: string } };
}

let gateway: SealingGateway;
let client: SealdeskClient;

beforeAll(async () => {
  gateway = await createSealingGateway();
  client = createClient({
    url: URL_OF_GATEWAY,
    apiKey: 'sd_live_x',
    clientKey: gateway.clientKey,
    fetch: (input, init) => gateway.fetch(input, init),
  });
});

beforeEach(() => {
  gateway.answer = null;
  gateway.received.length = 0;
});

describe('a client', () => {
  it('names its key and tenant', () => {
    expect([client.keyId, client.tenantId]).toEqual([gateway.fake.keyId, gateway.fake.tenantId]);
  });

  it('sends a document with its variables and gives back typed data and the audit event', async () => {
    const document: TicketDocument = parse('query Ticket($id: ID!) { ticket(id: $id) { subject } }') as never;
    const result = await client.request(document, { id: 'a' });
    expectTypeOf(result.data).toEqualTypeOf<{ ticket: { subject: string } } | null>();
    expect(result).toEqual({
      data: { ticket: { subject: 'Größe' } },
      auditEventId: expect.stringMatching(/^aud_/),
    });
    const sent = JSON.parse(new TextDecoder().decode(gateway.received[0]?.body));
    expect(sent.variables).toEqual({ id: 'a' });
    expect(print(parse(sent.query))).toBe(print(document as never));
    expect(gateway.received[0]?.headers.get('x-api-key')).toBe('sd_live_x');
  });

  it('gives back what there is of data beside errors, and failures in the clear as no data', async () => {
    const partial = { data: { a: null }, errors: [{ message: 'No.', path: ['a'] }] };
    gateway.answer = async (received) => sealed(await gateway.seal(received, JSON.stringify(partial)));
    expect(await client.request('{ a }')).toMatchObject(partial);
    gateway.answer = async () =>
      Response.json({ errors: [{ message: 'No.', extensions: { code: 'FORBIDDEN' } }] }, { status: 403 });
    expect(await client.request('{ a }')).toEqual({
      data: null,
      errors: [{ message: 'No.', extensions: { code: 'FORBIDDEN' } }],
      auditEventId: null,
    });
  });

  it('opens an envelope that was handed over, and holds it against what is expected', async () => {
    const envelope = await gateway.fake.seal('{"a":1}', { operation: 'get_ticket' });
    const opened = await client.encryption.decrypt(envelope, { purposes: ['proxy.result'] });
    expect(opened.data).toEqual({ a: 1 });
    expect(opened.header.operation).toBe('get_ticket');
    expect(opened.transcriptSha256).toMatch(/^[\w-]{43}$/);
    await expect(client.encryption.decrypt(envelope, { operation: 'search' })).rejects.toMatchObject({
      code: 'ENVELOPE_NOT_ACCEPTED',
    });
    const text = await gateway.fake.seal('text', { content_type: 'text/plain' });
    await expect(client.encryption.decrypt(text)).rejects.toThrow(GatewayAnswerError);
  });
});

describe('the text of a document', () => {
  const KITCHEN_SINK = String.raw`
    query Everything($a: [Int!]! = [1, -2], $b: In = { c: { d: "x\"y\n\u0000 – 😀" }, e: [] }, $n: String = null @v) @live(on: true) {
      alias: field(a: $a, b: { c: $b }, d: ENUM, e: 1.5e3, f: """block "quoted" text
        of lines""", g: {}, h: false) @include(if: $n) { ...Part @skip(if: true) ... on Ticket @x { id } ... { __typename } ... @y { id } }
    }
    fragment Part on Ticket @z { id }
    mutation Change { change }
    subscription { changes { cursor } }`;

  it('means what the tree means', () => {
    const tree = parse(KITCHEN_SINK);
    const again = parse(documentText(tree));
    // A block string is written as an ordinary one of the same value.
    const plain = JSON.parse(JSON.stringify(tree), (name, node) => (name === 'block' ? false : node));
    expect(print(again)).toBe(print(plain));
  });

  it('carries any string', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), (a, b) => {
        const tree = parse('{ f(a: "") }');
        const value = { kind: 'StringValue', value: a + b };
        const changed = JSON.parse(JSON.stringify(tree), (key, node) =>
          key === 'value' && node?.kind === 'StringValue' ? value : node,
        );
        expect(print(parse(documentText(changed)))).toBe(print(changed));
      }),
    );
  });

  it('is taken as it is where it is text', () => {
    expect(documentText('{ a }')).toBe('{ a }');
    expect(documentText(Object.assign(new String('{ a }'), { __meta__: {} }))).toBe('{ a }');
  });

  it.each([
    [null],
    [5],
    [{}],
    [{ kind: 'Field' }],
    [parse('type Query { a: Int }')],
    [{ kind: 'Document', definitions: 1 }],
    [{ kind: 'Document', definitions: [{ kind: 'constructor' }] }],
    [{ kind: 'Document', definitions: [{ kind: 'Name' }] }],
  ])('is refused for what is no executable document: %j', (document) => {
    expect(() => documentText(document)).toThrow(TypeError);
  });
});
