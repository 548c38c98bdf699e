/**
 * Numbered things that come and go quickly, such as calls under way: a ring of slots instead of a map, because numbers
 * are given in order and taken back in almost the same order. A number is used again only after all others were.
 */

/** Largest number given; it fits a small integer and, as a message id, five bytes. */
const NUMBER_MAX = 0x3fff_ffff;
const SLOTS_MIN = 64;

/**
 * See the header.
 * Invariants: at most half of the slots are taken; a number lies in the slot of its low bits; `#numbers` is 0 where a slot
 * is free.
 */
export class SlotTable<Item> {
  #items: (Item | undefined)[] = new Array<Item | undefined>(SLOTS_MIN).fill(undefined);
  #numbers: number[] = new Array<number>(SLOTS_MIN).fill(0);
  #next = 1;
  #size = 0;

  /** How many there are. */
  get size(): number {
    return this.#size;
  }

  /** Keep an item; its number, 1 or more. */
  add(item: Item): number {
    if (this.#size * 2 >= this.#numbers.length) this.#grow();
    const mask = this.#numbers.length - 1;
    // A slot is free among any number of slots, as at most half are taken: something old is stepped over.
    while (this.#numbers[this.#next & mask] !== 0) this.#advance();
    const number = this.#next;
    this.#numbers[number & mask] = number;
    this.#items[number & mask] = item;
    this.#size += 1;
    this.#advance();
    return number;
  }

  /** The item of a number. */
  get(number: number): Item | undefined {
    const slot = number & (this.#numbers.length - 1);
    return number > 0 && this.#numbers[slot] === number ? this.#items[slot] : undefined;
  }

  /** Take an item out. */
  take(number: number): Item | undefined {
    const item = this.get(number);
    if (item === undefined) return undefined;
    const slot = number & (this.#numbers.length - 1);
    this.#numbers[slot] = 0;
    this.#items[slot] = undefined;
    this.#size -= 1;
    return item;
  }

  /** All of them, in no particular order; a copy. */
  values(): readonly Item[] {
    return this.#items.filter((item) => item !== undefined);
  }

  /** Take all of them out. */
  takeAll(): readonly Item[] {
    const items = this.values();
    this.#items.fill(undefined);
    this.#numbers.fill(0);
    this.#size = 0;
    return items;
  }

  /** All of them with their numbers, in no particular order; a copy, so that items may be taken meanwhile. */
  entries(): readonly (readonly [number, Item])[] {
    const entries: (readonly [number, Item])[] = [];
    for (const number of this.#numbers) {
      const item = this.get(number);
      if (item !== undefined) entries.push([number, item]);
    }
    return entries;
  }

  #advance(): void {
    this.#next = this.#next >= NUMBER_MAX ? 1 : this.#next + 1;
  }

  #grow(): void {
    const entries = this.entries();
    const slots = this.#numbers.length * 2;
    this.#items = new Array<Item | undefined>(slots).fill(undefined);
    this.#numbers = new Array<number>(slots).fill(0);
    // Numbers that differ in their low bits still do with one bit more.
    for (const [number, item] of entries) {
      this.#numbers[number & (slots - 1)] = number;
      this.#items[number & (slots - 1)] = item;
    }
  }
}
