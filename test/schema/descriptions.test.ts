/** Everything in the schema says what it is. */
import { isEnumType, isInputObjectType, isInterfaceType, isObjectType } from 'graphql';
import { expect, it } from 'vitest';
import { schema } from '../../schema/index.ts';

interface Described {
  readonly name: string;
  readonly description?: string | null | undefined;
}

function* membersOf(type: unknown): Generator<readonly [string, Described]> {
  if (isEnumType(type)) {
    for (const value of type.getValues()) yield [`${type.name}.${value.name}`, value];
  } else if (isInputObjectType(type)) {
    for (const field of Object.values(type.getFields())) yield [`${type.name}.${field.name}`, field];
  } else if (isObjectType(type) || isInterfaceType(type)) {
    for (const field of Object.values(type.getFields())) {
      yield [`${type.name}.${field.name}`, field];
      for (const argument of field.args) yield [`${type.name}.${field.name}(${argument.name})`, argument];
    }
  }
}

const DESCRIBED: readonly (readonly [string, Described])[] = Object.values(schema.getTypeMap())
  .filter(({ name }) => !name.startsWith('__'))
  .flatMap((type) => [[type.name, type] as const, ...membersOf(type)]);

it('describes every type, field, argument and value in a sentence', () => {
  expect(DESCRIBED.length).toBeGreaterThan(400);
  expect(
    DESCRIBED.filter(([, { description }]) => !/^[\p{L}`].{2,}[.!?]$/su.test(description ?? '')).map(
      ([name]) => name,
    ),
  ).toEqual([]);
});
