import { useSyncExternalStore } from 'react';
import type { Observable } from '../model/observable.ts';

/** The value, now and whenever it is replaced. */
export function useObservable<Value>(observable: Observable<Value>): Value {
  return useSyncExternalStore(observable.subscribe, () => observable.value);
}
