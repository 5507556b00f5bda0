// Which numbers of a run's events were read, as few ranges: what is asked for next is all the others.

/**
 * Which numbers were read. Folders write theirs in their own transactions, so a smaller number may come long after a larger one, and
 * one that was rolled back never comes.
 */
export class Seen {
  readonly #ranges: { readonly from: number; readonly to: number }[] = [];

  add(number: number): void {
    let at = this.#ranges.length;
    while (at > 0 && (this.#ranges[at - 1]?.from ?? 0) > number) at--;
    const [before, after] = [this.#ranges[at - 1], this.#ranges[at]];
    const joinsBefore = before?.to === number - 1;
    const joinsAfter = after?.from === number + 1;
    this.#ranges.splice(joinsBefore ? at - 1 : at, Number(joinsBefore) + Number(joinsAfter), {
      from: joinsBefore ? before.from : number,
      to: joinsAfter ? after.to : number,
    });
  }

  /** As PostgreSQL writes several ranges: `{[1,5],[7,7]}`. */
  ranges(): string {
    return `{${this.#ranges.map(({ from, to }) => `[${from},${to}]`).join(',')}}`;
  }
}
