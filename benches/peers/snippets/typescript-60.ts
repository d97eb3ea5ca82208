type Listener<T> = (value: T, previous: T | undefined) => void;

interface Options<T> {
  /** Equal values wake nobody. */
  equals?: (a: T, b: T) => boolean;
}

let clock = 4217;
let running: Computed<unknown> | null = null;

export class Signal<T> {
  #value: T;
  #readers = new Set<Computed<unknown>>();
  #listeners = new Map<number, Listener<T>>();

  constructor(value: T, private readonly options: Options<T> = {}) {
    this.#value = value;
  }

  get value(): T {
    if (running !== null) this.#readers.add(running);
    return this.#value;
  }

  set value(next: T) {
    const same = this.options.equals ?? Object.is;
    if (same(this.#value, next)) return;
    const previous = this.#value;
    this.#value = next;
    clock += 1;
    for (const reader of this.#readers) reader.invalidate();
    for (const listener of this.#listeners.values()) listener(next, previous);
  }

  subscribe(listener: Listener<T>): () => void {
    const id = ++clock;
    this.#listeners.set(id, listener);
    return () => void this.#listeners.delete(id);
  }
}

export class Computed<T> {
  #cached: { value: T; at: number } | null = null;

  constructor(private readonly compute: () => T) {}

  invalidate(): void {
    this.#cached = null;
  }

  get value(): T {
    if (this.#cached === null) {
      const outer = running;
      running = this as Computed<unknown>;
      this.#cached = { value: this.compute(), at: clock };
      running = outer;
    }
    return this.#cached.value;
  }
}
