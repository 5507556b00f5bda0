// The verbs about scripts over all servers: a folder's where it lives, those about all folders everywhere.
import { Refusal } from '../base/errors.ts';
import type { Across } from './across-servers.ts';
import type { OneServer } from './rustine.ts';
import type { ScriptVerbs } from './scripts.ts';

export function scriptsAcross(across: Across): ScriptVerbs {
  const { scripts: here } = across.home.verbs;
  const at = async (folder: string | undefined): Promise<ScriptVerbs | undefined> =>
    (await across.placeOf(folder))?.member.verbs.scripts;
  const everywhere = async <Row extends { readonly folder: string }>(
    folder: string | undefined,
    ask: (scripts: OneServer['scripts'], folder?: string) => Promise<readonly Row[]>,
  ): Promise<readonly Row[]> => {
    const there = await at(folder);
    if (folder !== undefined) return ask(there ?? here, folder);
    const rows = await ask(here);
    // Mirrors hold what their originals hold.
    const more = await across.each(async ({ member }, own) =>
      (await ask(member.verbs.scripts)).filter((row) => own.includes(row.folder)),
    );
    return [...rows, ...more.flat()];
  };
  return {
    which: async (name, where) =>
      ((await at(where.folder ?? across.home.opened.settings.from)) ?? here).which(name, fromHere(across, where)),
    show: async (name, where) =>
      ((await at(where.folder ?? across.home.opened.settings.from)) ?? here).show(name, fromHere(across, where)),
    uses: async (name, code) => {
      const folder = code ?? across.home.opened.settings.from;
      return ((await at(folder)) ?? here).uses(name, folder);
    },
    shadowed: (folder) => everywhere(folder, (scripts, code) => scripts.shadowed(code)),
    pending: (folder) => everywhere(folder, (scripts, code) => scripts.pending(code)),
    run: async (wanted) => {
      if (wanted.folder !== undefined) return ((await at(wanted.folder)) ?? here).run(wanted);
      const { folders } = await across.directory();
      if (folders.length === 0) return here.run(wanted);
      // Where it waits: a name that waits nowhere is refused as it always is.
      const pending = (await everywhere(undefined, (scripts) => scripts.pending())).filter(
        ({ script }) => wanted.name === undefined || script === wanted.name,
      );
      const waiting = [...new Set(pending.map(({ folder }) => folder))];
      if (waiting.length === 0) return here.run(wanted);
      const runs = [];
      for (const folder of waiting) runs.push(...(await ((await at(folder)) ?? here).run({ ...wanted, folder })));
      return runs;
    },
    export: async (directory, folders) => {
      const { folders: elsewhere } = await across.directory();
      const far = folders?.filter((code) => elsewhere.some((each) => each.code === code.trim().toUpperCase())) ?? [];
      if (folders !== undefined && far.length > 0) {
        const servers = new Set(
          folders.map((code) => elsewhere.find((each) => each.code === code.trim().toUpperCase())?.server ?? ''),
        );
        if (servers.size > 1) throw new Refusal('export-several-servers', { folders });
        return ((await at(far[0])) ?? here).export(directory, folders);
      }
      const exported = await here.export(directory, folders);
      if (folders !== undefined || elsewhere.length === 0) return exported;
      const facts = { directory, folders: elsewhere.map(({ code }) => code) };
      return { ...exported, findings: [...exported.findings, { code: 'export-elsewhere', severity: 'warn', facts }] };
    },
  };
}

/** The folder one works from, where none is named. */
function fromHere(
  { home }: Across,
  where: { readonly folder?: string; readonly kind?: string },
): { readonly folder?: string; readonly kind?: string } {
  const { from } = home.opened.settings;
  return where.folder === undefined && from !== undefined ? { ...where, folder: from } : where;
}
