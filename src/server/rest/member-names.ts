import { SealdeskError } from '../../base/index.ts';

/**
 * `body` with the REST names of its members replaced by those of the use case, which are themselves no
 * names of REST and refused. Other members, and values that are no objects, pass as they are for the
 * use case to refuse.
 */
export function renameMembers(body: unknown, names: Readonly<Record<string, string>>): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body;
  const inner = new Set(Object.values(names));
  if (Object.keys(body).some((name) => inner.has(name))) {
    const known = Object.keys(names).join(', ');
    throw new SealdeskError(
      'VALIDATION_FAILED',
      `The body has a member of another API. Members of this route: ${known}.`,
    );
  }
  return Object.fromEntries(
    Object.entries(body).map(([name, value]) => [Object.hasOwn(names, name) ? names[name] : name, value]),
  );
}
