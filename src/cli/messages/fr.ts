// The French catalog: a key that the English one has and this one lacks does not compile.
import type { Messages } from './en.ts';
import { errors, unknownError, usage, usageAdvice } from './fr/errors.ts';
import { findings, unknownFinding } from './fr/findings.ts';
import { help } from './fr/help.ts';
import { history } from './fr/history.ts';
import { log } from './fr/log.ts';
import { progress } from './fr/progress.ts';
import { report } from './fr/report.ts';
import { reports } from './fr/reports.ts';
import { summary } from './fr/summary.ts';
import { verifyReport as verify } from './fr/verify.ts';

export const messages: Messages = {
  errors,
  usage,
  usageAdvice,
  unknownError,
  findings,
  unknownFinding,
  help,
  history,
  log,
  progress,
  report,
  reports,
  summary,
  verify,
};
