// The commander program: its help and its complaints in the language of the user.
import { Command, type Help, type Option } from 'commander';
import { Refusal } from '../base/errors.ts';
import { nearestWords } from '../base/nearest.ts';
import type { Messages } from './messages/en.ts';

/** A command whose complaints are refusals with code and facts instead of English text. The names of the methods are commander's. */
export class Program extends Command {
  override createCommand(name?: string): Program {
    return new Program(name);
  }

  override help(context?: { error?: boolean } | ((text: string) => string)): never {
    if (typeof context !== 'object' || context.error !== true) return super.help();
    this.outputHelp({ error: true });
    return refuse(this, 'missing-command', { known: this.commands.map((command) => command.name()) });
  }

  unknownCommand(): never {
    const value = this.args[0] ?? '';
    return refuse(this, 'unknown-command', {
      value,
      ...nearest(
        value,
        this.commands.map((command) => command.name()),
      ),
    });
  }

  unknownOption(value: string): never {
    const known: string[] = [];
    for (let command: Command | null = this; command !== null; command = command.parent) {
      known.push(...command.options.map((option) => option.long ?? ''));
    }
    return refuse(this, 'unknown-option', { value, ...nearest(value, known) });
  }

  missingArgument(name: string): never {
    return refuse(this, 'missing-argument', { value: name });
  }

  optionMissingArgument(option: Option): never {
    return refuse(this, 'missing-value', { value: option.long ?? option.flags });
  }

  /** Reads the value of an option or argument; a complaint about it says which command it was for. */
  _callParseArg(target: { parseArg(value: string, previous: unknown): unknown }, value: string, previous: unknown): unknown {
    try {
      return target.parseArg(value, previous);
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== 'usage') throw error;
      throw new Refusal('usage', { command: pathOf(this), ...error.facts });
    }
  }

  _excessArguments(received: readonly string[]): never {
    return refuse(this, 'too-many-arguments', { value: received[this.registeredArguments.length] ?? '' });
  }
}

function refuse(command: Command, problem: string, facts: Record<string, string | readonly string[]>): never {
  throw new Refusal('usage', { problem, command: pathOf(command), ...facts });
}

/** `rustine folder create` */
function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

/** The known word that the typed one is probably meant to be. */
function nearest(typed: string, known: readonly string[]): { nearest?: string } {
  const [best] = nearestWords(typed, known);
  return best === undefined ? {} : { nearest: best };
}

/** Commander's own words, and the words between brackets, in the language. */
export function helpWords({ help }: Messages): Partial<Help> {
  const titles: Readonly<Record<string, string>> = help.titles;
  const words: Readonly<Record<string, string>> = help.words;
  // Of values to choose from none is translated: they are typed as they are. `all` stands beside a word for a value.
  const translate = (text: string) => text.replace(/(?<=[<[]|\w=)\w+(?=[>\]=.]|\|all\b)/g, (word) => words[word] ?? word);
  return {
    showGlobalOptions: true,
    styleTitle: (title) => titles[title] ?? title,
    styleUsage: translate,
    styleOptionTerm: translate,
    styleArgumentTerm: (term) => words[term] ?? term,
    styleSubcommandTerm: translate,
  };
}
