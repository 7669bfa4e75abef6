/**
 * `body` with the REST names of its members replaced by those of the use case. Other members, and
 * values that are no objects, pass as they are for the use case to refuse.
 */
export function renameMembers(body: unknown, names: Readonly<Record<string, string>>): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body;
  return Object.fromEntries(
    Object.entries(body).map(([name, value]) => [Object.hasOwn(names, name) ? names[name] : name, value]),
  );
}
