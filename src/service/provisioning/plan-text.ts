/** A person of a plan as a sealed text: names, addresses and what is to become of them never lie in the clear. */
import { itemLocation, type PlanItem, type StoredItem } from '../../provisioning/index.ts';
import type { TenantKeys } from '../../vault/index.ts';

export function sealItem(keys: TenantKeys, planId: string, position: number, item: PlanItem): Uint8Array {
  return keys.sealText(itemLocation(planId, position), JSON.stringify(item));
}

/** Throws INTERNAL where what is stored was altered, or put in another's place. */
export function openItem(
  keys: TenantKeys,
  planId: string,
  { position, sealed }: Pick<StoredItem, 'position' | 'sealed'>,
): PlanItem {
  return JSON.parse(keys.openText(itemLocation(planId, position), sealed));
}
