/** Where in the input of a field a value stands: from its argument on, `filter.status.0`. */
import { type ASTNode, BREAK, type DocumentNode, Kind, visit } from 'graphql';

/** The place of a value, or of a member's object, in `document`; `null` for what is no input. */
export function inputPath(document: DocumentNode, at: ASTNode): readonly string[] | null {
  const way = wayTo(document, (node) => node === at);
  if (at.kind === Kind.OBJECT_FIELD) way.pop();
  const definition = way.find((step) => isNode(step) && step.kind === Kind.VARIABLE_DEFINITION);
  if (isNode(definition) && definition.kind === Kind.VARIABLE_DEFINITION) {
    return [...variablePath(document, definition.variable.name.value), ...stepsOf(way)];
  }
  return way.some((step) => isNode(step) && step.kind === Kind.ARGUMENT) ? stepsOf(way) : null;
}

/** The place where a variable is first used; its own name where nothing uses it. */
export function variablePath(document: DocumentNode, name: string): readonly string[] {
  const way = wayTo(
    document,
    (node, parent) =>
      node.kind === Kind.VARIABLE &&
      node.name.value === name &&
      !(isNode(parent) && parent.kind === Kind.VARIABLE_DEFINITION),
  );
  return way.length === 0 ? [name] : stepsOf(way);
}

type Step = ASTNode | readonly ASTNode[];

/** From the document down to the first node that `isWanted`; empty where there is none. */
function wayTo(
  document: DocumentNode,
  isWanted: (node: ASTNode, parent: Step | undefined) => boolean,
): Step[] {
  let way: Step[] = [];
  visit(document, {
    enter(node, _key, parent, _path, ancestors) {
      if (!isWanted(node, parent)) return undefined;
      way = [...ancestors, ...(parent === undefined ? [] : [parent]), node];
      return BREAK;
    },
  });
  return way;
}

function stepsOf(way: readonly Step[]): readonly string[] {
  return way.flatMap((step, at) => {
    if (isNode(step)) {
      return step.kind === Kind.ARGUMENT || step.kind === Kind.OBJECT_FIELD ? [step.name.value] : [];
    }
    const [list, element] = [way[at - 1], way[at + 1]];
    if (!isNode(list) || list.kind !== Kind.LIST || !isNode(element)) return [];
    return [String(step.indexOf(element))];
  });
}

function isNode(step: Step | undefined): step is ASTNode {
  return step !== undefined && !Array.isArray(step);
}
