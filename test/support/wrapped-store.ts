import type { Store } from '../../src/store/index.ts';

/** `store` with some of its methods replaced; the others are its own. */
export function wrappedStore(store: Store, replaced: Partial<Store>): Store {
  return new Proxy(store, {
    get(target, name) {
      if (Object.hasOwn(replaced, name)) return Reflect.get(replaced, name);
      const own: unknown = Reflect.get(target, name);
      return typeof own === 'function' ? own.bind(target) : own;
    },
  });
}
