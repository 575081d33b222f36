/** A header that the customer wants with every push. A list, not an object, so that no name can be `__proto__`. */
export interface CustomHeader {
  readonly name: string;
  readonly value: string;
}
