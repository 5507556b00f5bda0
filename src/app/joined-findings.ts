// Findings that each server makes of its own folders, where people are to read one of all folders.
import type { Finding, Severity } from '../base/finding.ts';

/** What is there already is said once for each patch, as on one server. @param found of each server */
export function joinedAlready(found: readonly (readonly Finding[])[]): readonly (readonly Finding[])[] {
  const files = new Set(found.flat().flatMap((finding) => (isAlready(finding) ? [finding.patch] : [])));
  const joined = [...files].flatMap((file) =>
    join(found.map((findings) => findings.filter((finding) => isAlready(finding) && finding.patch === file))),
  );
  const others = found.map((findings) => findings.filter((finding) => !isAlready(finding)));
  return others.map((findings, server) => (server === 0 ? [...findings, ...joined] : findings));
}

const isAlready = ({ code }: Finding): boolean => code === 'already-integrated';

const BY_WEIGHT: readonly Severity[] = ['block', 'warn', 'info'];

/** @param said of one patch, by each server: it is there everywhere where all of them say so */
function join(said: readonly (readonly Finding[])[]): readonly Finding[] {
  const all = said.flat();
  const everywhere = said.every((findings) => findings.some(({ facts }) => facts.everywhere === true));
  const forced = all.find(({ facts }) => facts.check !== undefined);
  const [first] = forced === undefined ? all : [forced];
  if (first === undefined) return [];
  const heaviest = BY_WEIGHT.find((severity) => all.some((finding) => finding.severity === severity)) ?? first.severity;
  // A server on which nothing is left to do warns; where others have something to do, that is as usual. What stops is judged by who knows of all.
  const usual = forced === undefined && !everywhere && heaviest !== 'block';
  const folders = [...new Set(all.flatMap(({ facts }) => (Array.isArray(facts.folders) ? facts.folders.map(String) : [])))];
  const facts = { ...first.facts, folders, count: folders.length, everywhere };
  return [{ ...first, severity: usual ? 'info' : heaviest, facts }];
}
