// Words that a typed one is probably meant to be. Pure.

/** Those within a third of the word's length, the nearest first. */
export function nearestWords(typed: string, known: readonly string[], most = 1): readonly string[] {
  return known
    .map((word) => ({ word, distance: distance(typed, word) }))
    .filter(({ word, distance: far }) => word !== '' && far <= Math.max(1, Math.floor(word.replace(/^-+/, '').length / 3)))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, most)
    .map(({ word }) => word);
}

/** Levenshtein's. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
