/** One value that several parts of the page show. */
import { useEffect, useState } from 'preact/hooks';

export class Store {
  #value;
  #listeners = new Set();

  constructor(value) {
    this.#value = value;
  }

  get value() {
    return this.#value;
  }

  set(value) {
    if (value === this.#value) return;
    this.#value = value;
    for (const listener of this.#listeners) listener(value);
  }

  /** Gives what takes the listener back. */
  listen(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

export function useStore(store) {
  const [value, setValue] = useState(store.value);
  useEffect(() => {
    // It may have changed between drawing and listening.
    setValue(store.value);
    return store.listen(setValue);
  }, [store]);
  return value;
}
