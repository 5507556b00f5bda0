// Servers for people: the list of them, and one in full.
import type { ServerView } from '../app/servers.ts';
import { pairs, table } from './layout.ts';
import type { Messages } from './messages/en.ts';
import { safe, some } from './messages/said.ts';

const MOST = 12;

export function serversTable(servers: readonly ServerView[], { report }: Messages, width: number | undefined): string {
  const { columns, states, none } = report.servers;
  if (servers.length === 0) return none;
  const titles = [columns.name, columns.state, columns.version, columns.folders, columns.url].map((title) => ({ title }));
  const rows = servers.map((server) => [
    server.name,
    states[server.state],
    server.version ?? '-',
    some(server.folders, MOST) || '-',
    safe(server.url),
  ]);
  return table(titles, rows, width);
}

export function serverText(server: ServerView, { report }: Messages): string {
  const { columns, states } = report.servers;
  return pairs([
    [columns.name, server.name],
    [columns.url, safe(server.url)],
    [columns.state, states[server.state]],
    ...(server.reason === null ? [] : ([[columns.reason, safe(server.reason)]] as const)),
    [columns.version, server.version ?? '-'],
    [columns.folders, server.folders.join(' ') || '-'],
    [columns.mirrors, server.mirrors?.join(' ') || '-'],
  ]);
}
