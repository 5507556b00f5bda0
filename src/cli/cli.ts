// What every command works with: the options of all commands, the messages, the way out for results, and an open Rustine.
import { type Language, resolveSettings, type Settings } from '../app/config.ts';
import type { Rustine } from '../app/rustine.ts';
import type { Finding } from '../base/finding.ts';
import { languageOfLocale, loadMessages } from './language.ts';
import type { Messages } from './messages/en.ts';
import type { Terminal } from './terminal.ts';

/** The options of every command. */
export interface GlobalOptions {
  readonly home?: string;
  readonly database?: string;
  readonly from?: string;
  readonly lang?: Language;
  readonly json?: true;
  readonly quiet?: true;
  readonly verbose?: true;
}

export interface Cli {
  readonly terminal: Terminal;
  readonly options: GlobalOptions;
  readonly messages: Messages;
  /** Of the command that ran; set where it is not 0. */
  exitCode: number;
  settings(): Promise<Settings>;
  /** Opens what the settings say, works with it, and closes it whatever happens. */
  withRustine<Result>(work: (rustine: Rustine, settings: Settings) => Promise<Result>): Promise<Result>;
  /** Gives the result: as the one document of `--json`, or as text for people. */
  result(document: unknown, text: () => string): void;
}

/** What the answer lacks: on the way of problems, so that the answer itself stays what it is. */
async function tell({ terminal, messages, options }: Cli, missed: readonly Finding[]): Promise<void> {
  if (missed.length === 0) return;
  const { findingsText } = await import('./findings.ts');
  const style = {
    width: terminal.errWidth,
    colour: terminal.errWidth !== undefined && terminal.colour,
    all: options.verbose === true,
  };
  terminal.err(`${findingsText(missed, messages, style)}\n`);
}

export function createCli(terminal: Terminal, messages: Messages, options: () => GlobalOptions): Cli {
  const cli = {
    terminal,
    messages,
    exitCode: 0,
    get options() {
      return options();
    },
    async settings() {
      const { home, database, from, lang } = options();
      const settings = await resolveSettings({
        options: {
          ...(home === undefined ? {} : { home }),
          ...(database === undefined ? {} : { database }),
          ...(from === undefined ? {} : { from }),
          ...(lang === undefined ? {} : { language: lang }),
        },
        env: terminal.env,
        cwd: terminal.cwd,
        language: languageOfLocale(terminal.env),
      });
      cli.messages = await loadMessages(settings.language);
      return settings;
    },
    async withRustine<Result>(work: (rustine: Rustine, settings: Settings) => Promise<Result>) {
      const settings = await cli.settings();
      const rustine = await terminal.open(settings);
      try {
        const result = await work(rustine, settings);
        await tell(cli, rustine.missed());
        return result;
      } finally {
        await rustine.close();
      }
    },
    result(document: unknown, text: () => string) {
      if (options().json) return terminal.out(`${JSON.stringify(document, null, 2)}\n`);
      const shown = text();
      if (shown !== '') terminal.out(`${shown}\n`);
    },
  };
  return cli;
}
