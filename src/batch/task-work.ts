// Carries one task out: a validation, or a program that rustine.yaml names; what it came to is told, never thrown.
import { Failure, Refusal } from '../base/errors.ts';
import { type Runner, runProgram } from '../integrate/runner.ts';
import type { Task, TaskEnd } from '../journal/tasks.ts';

export interface TaskWork {
  readonly programs: Readonly<Record<string, Runner>>;
  /** Validates the folder. @returns codes of what blocked it, or nothing */
  readonly validate: (folder: string, task: number) => Promise<readonly string[]>;
}

/** @param abort asked to stop: a program is ended, a validation is one transaction and ends by itself */
export async function carryOut({ programs, validate }: TaskWork, task: Task, abort: AbortSignal): Promise<TaskEnd> {
  try {
    if (task.kind === 'validation') {
      const codes = await validate(task.folder, task.id);
      const reason = codes[0];
      return reason === undefined ? DONE : { ...DONE, state: 'failed', reason, output: codes.join('\n') };
    }
    const program = Object.hasOwn(programs, task.program) ? programs[task.program] : undefined;
    if (program === undefined) return { ...DONE, state: 'failed', reason: 'no-program', output: task.program };
    return await runTask(program, task, abort);
  } catch (error) {
    if (!(error instanceof Failure) && !(error instanceof Refusal)) throw error;
    return { ...DONE, state: 'failed', reason: error.code, output: JSON.stringify(error.facts) };
  }
}

const DONE: TaskEnd = { state: 'done', exit: null, reason: '', output: '' };

async function runTask(program: Runner, task: Task, abort: AbortSignal): Promise<TaskEnd> {
  const { folder, kind, title } = task;
  const values = { folder, kind, title, task: String(task.id) };
  const variables = { RUSTINE_FOLDER: folder, RUSTINE_TASK: values.task, RUSTINE_TASK_KIND: kind, RUSTINE_TASK_TITLE: title };
  const { end, exit, signal, output } = await runProgram(program, values, variables, { withSignals: false, abort });
  switch (end) {
    case 'exit':
      if (exit === 0) return { ...DONE, exit, output };
      return {
        state: 'failed',
        exit,
        reason: exit === null ? 'signal' : 'exit',
        output: exit === null ? `${output}${signal}` : output,
      };
    case 'aborted':
      return { state: 'cancelled', exit, reason: '', output };
    case 'timeout':
      return { state: 'failed', exit, reason: 'timeout', output };
    case 'not-started':
      return { state: 'failed', exit, reason: 'not-started', output: `${program.command}: ${signal}` };
  }
}
