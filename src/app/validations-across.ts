// Validation over all servers: each server validates its own folders; one that does not answer fails its folders only.
import { Failure } from '../base/errors.ts';
import type { Finding } from '../base/finding.ts';
import { folderCode } from '../base/ids.ts';
import type { Server } from '../environment/servers.ts';
import { failedValidation } from '../validate/validation.ts';
import type { Across } from './across-servers.ts';
import { unreachable } from './servers.ts';
import type { ValidateOptions, ValidationOutcome } from './validations.ts';

export async function validateAcross(across: Across, options: ValidateOptions): Promise<ValidationOutcome> {
  const { servers, folders: elsewhere } = await across.directory();
  const wanted = options.folders?.map(folderCode);
  const far = elsewhere.filter(({ code }) => wanted === undefined || wanted.includes(code as never));
  if (far.length === 0) return across.home.verbs.validate(options);
  const here = wanted?.filter((code) => !far.some((folder) => folder.code === code));
  // A name that nobody knows is refused there, before anything changes.
  const outcomes = [await across.home.verbs.validate(here === undefined ? options : { ...options, folders: here })];
  for (const server of servers) {
    const codes = far.filter((folder) => folder.server === server.name).map(({ code }) => code);
    if (codes.length > 0) outcomes.push(await validateThere(across, server, codes, options, wanted === undefined));
  }
  return {
    state: stateOf(outcomes.filter(({ folders }) => folders.length > 0).map(({ state }) => state)),
    findings: outcomes.flatMap(({ findings }) => findings),
    folders: outcomes.flatMap(({ folders }) => folders),
  };
}

async function validateThere(
  across: Across,
  server: Server,
  codes: readonly string[],
  options: ValidateOptions,
  onlyDue: boolean,
): Promise<ValidationOutcome> {
  try {
    const { verbs } = await across.open(server);
    const due = onlyDue ? (await verbs.folders()).filter(({ code, reasons }) => codes.includes(code) && reasons.length > 0) : [];
    return await verbs.validate({ ...options, folders: onlyDue ? due.map(({ code }) => code) : codes });
  } catch (error) {
    const lost = unreachable(server, error);
    if (!(lost instanceof Failure) || lost.code !== 'server-unreachable') throw error;
    const { code, facts } = lost;
    const finding: Finding = { code, severity: 'block', subject: server.name, facts: { ...facts, folders: codes } };
    const failed = codes.map((folder) => failedValidation({ code: folder, due: [] }, { code, facts }));
    return { state: 'failed', findings: [finding], folders: failed };
  }
}

function stateOf(states: readonly ValidationOutcome['state'][]): ValidationOutcome['state'] {
  const [first, ...others] = states;
  if (first === undefined) return 'done';
  return others.every((state) => state === first) ? first : 'partial';
}
