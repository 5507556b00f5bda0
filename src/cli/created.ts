// The result of a command that created or changed something: what, and the findings of doing so.
import type { Finding } from '../base/finding.ts';
import type { Cli } from './cli.ts';
import { findingsText } from './findings.ts';
import { findingDocument } from './problem.ts';

export function showCreated(cli: Cli, document: object, findings: readonly Finding[], sentence: string): void {
  showChanged(cli, document, findings, [sentence]);
}

export function showChanged(cli: Cli, document: object, findings: readonly Finding[], sentences: readonly string[]): void {
  const { messages, terminal, options } = cli;
  const shown = options.quiet ? findings.filter(({ severity }) => severity === 'block') : findings;
  const style = { width: terminal.width, colour: terminal.colour, all: options.verbose === true };
  cli.result({ ...document, findings: findings.map((finding) => findingDocument(finding, messages)) }, () =>
    [findingsText(shown, messages, style), ...(options.quiet ? [] : sentences)].filter((part) => part !== '').join('\n'),
  );
}
