import { type ASTVisitor, GraphQLError, type ValidationContext } from 'graphql';

/**
 * A rule of validation: no field of a type under two names. What is sent of an event is then about as large as the
 * event, and never too large to be sent, since by aliases one envelope could stand in it as often as a document
 * is long.
 */
export function askedOnce(context: ValidationContext): ASTVisitor {
  const names = new Map<string, string>();
  return {
    Field(node) {
      const { name, alias } = node;
      const field = `${context.getParentType()?.name ?? ''}.${name.value}`;
      const asked = alias?.value ?? name.value;
      const known = names.get(field) ?? asked;
      names.set(field, known);
      if (known === asked) return;
      context.reportError(
        new GraphQLError(`Ask for \`${field}\` under one name only, not also as \`${asked}\`.`, {
          nodes: node,
        }),
      );
    },
  };
}
