// The options of commands whose answer is a report too: `--format`, `--output`.

import type { Messages } from './messages/en.ts';
import { oneOf } from './option-values.ts';
import type { Program } from './program.ts';

export const REPORT_FORMATS = ['text', 'json', 'csv', 'html'] as const;
export type ReportFormat = (typeof REPORT_FORMATS)[number];

export interface ReportOptions {
  readonly format?: ReportFormat;
  readonly output?: string;
}

export function withReportOptions(command: Program, { help }: Messages): Program {
  return command
    .option(`--format <${REPORT_FORMATS.join('|')}>`, help.report.format, oneOf('--format', REPORT_FORMATS))
    .option('--output <file>', help.report.output);
}
