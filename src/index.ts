// The library: what programs may import from `rustine`.
export type { CheckOptions, CheckOutcome } from './app/checks.ts';
export type { Settings } from './app/config.ts';
export type {
  ElementDecision,
  ElementFolder,
  ElementHistory,
  ElementHold,
  ElementVersion,
  History,
  HistoryEntry,
  HistoryFolder,
  HistoryKind,
  HistoryOptions,
} from './app/history.ts';
export type { FolderOptions, FolderView, InitOptions, IntegrateOptions, Rustine } from './app/rustine.ts';
export { openRustine } from './app/rustine.ts';
export { Bug, type Facts, Failure, Refusal } from './base/errors.ts';
export type { Finding, Severity } from './base/finding.ts';
export type { JournalEntry, RunEvent, RunListener } from './journal/journal.ts';
export type {
  ElementCounts,
  FolderOutcome,
  FolderRunState,
  PatchOutcome,
  PatchRunState,
  RunMode,
  RunOutcome,
  RunState,
} from './journal/outcome.ts';
export type { ElementHead, PatchForm, PatchHeader, PatchPart, PatchRecord, Place, RecordLine } from './patch/format.ts';
export { type ListedPatch, listPatches, type PatchList } from './patch/list.ts';
export { readPatch, readPatchFile } from './patch/read.ts';
export { elementHead, patchHeader } from './patch/render.ts';
export { comparePatchFiles, type PatchName, parsePatchName } from './patch/sequence.ts';
export { type ElementSummary, type PatchSummary, summarizePatch } from './patch/summary.ts';
export { USUAL_FORM, writePatch } from './patch/write.ts';
