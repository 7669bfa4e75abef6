/** Whatever JSON the other side answers. */
export type Json = ReturnType<typeof JSON.parse>;

/** One call of the control API of a simulator in another process; `null` where its answer is empty. */
export async function controlSimulator(
  zendesk: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<Json> {
  const response = await fetch(`${zendesk}/__simulator/${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`The simulator's control answered ${response.status}`);
  return response.status === 204 ? null : response.json();
}
