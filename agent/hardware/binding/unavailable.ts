/** The expected outcome of asking for a binding the machine does not have. */
export interface Unavailable {
  /** Why, as the rest of a sentence for people. */
  readonly unavailable: string;
}
