import type { Tx } from '../../store/index.ts';
import { countResting, type KeyRotation, type RestingGoal } from '../../vault/index.ts';

export type KeyRotationView = Omit<KeyRotation, 'id' | 'tenantId'> & {
  /** Records that still rest on an old key; `null` where another rotation took this one's place. */
  readonly remaining: number | null;
};

/** The key that a rotation brings everything under. */
export function goalOf({ what, to }: Pick<KeyRotation, 'what' | 'to'>): RestingGoal {
  return what === 'VAULT' ? { what, version: Number(to) } : { what, keyRef: to };
}

export async function toKeyRotationView(tx: Tx, rotation: KeyRotation): Promise<KeyRotationView> {
  const { id: _, tenantId, ...told } = rotation;
  switch (rotation.state) {
    case 'RUNNING':
      return { ...told, remaining: await countResting(tx, tenantId, goalOf(rotation)) };
    case 'DONE':
      return { ...told, remaining: 0 };
    case 'SUPERSEDED':
      return { ...told, remaining: null };
    default:
      return rotation.state satisfies never;
  }
}
