// English sentences and words about environments on several servers.
import { type Said, type Sentence, some } from '../said.ts';
import { reasons } from './reasons.ts';

const why = (f: Said) => reasons[f('reason')] ?? f('reason');

const decisionPending: Sentence = (f) =>
  `Server ${f('server')} does not answer (${f('reason')}), and what is prepared there${f.has('run') ? ` of run ${f('run')}` : ''} is still to be ${f('decision') === 'commit' ? 'committed, as on all other servers' : 'rolled back'}. Until that is done, nobody gets into ${some(f.list('folders'), 20)}, and their tables are locked. Start the server or mend the connection: then \`rustine recover\` does it, and so does every command that concerns a folder there.`;

export const serverErrors = {
  'server-name': (f) =>
    `"${f('value')}" is not a server name. A name is a letter followed by up to 9 letters or digits, such as NORTH.`,
  'server-exists': (f) =>
    `Server ${f('server')} is in this environment already. \`rustine server show ${f('server')}\` shows it; another server needs another name.`,
  'server-unknown': (f) =>
    `There is no server ${f('server')} in this environment. ${f.has('known') ? `Known servers: ${some(f.list('known'), 20)}.` : 'It has no further servers.'} \`rustine server add ${f('server')} URL\` would add it.`,
  'server-in-use': (f) =>
    `Server ${f('server')} cannot be dropped while folders live there: ${some(f.list('folders'), 20)}. Drop them first.`,
  'server-unsettled': (f) =>
    `Server ${f('server')} cannot be dropped: something that ${f.list('runs').length === 1 ? 'run' : 'runs'} ${some(f.list('runs'), 8)} left there is not settled (logins that are shut, or changes that wait for their end)${f.has('reason') ? `, and the server could not be asked: ${why(f)}` : ''}. Nothing was changed. See to it that the server answers, run \`rustine recover\`, which names what is in the way, then drop it.`,
  'server-database-used': (f) =>
    `The database of server ${f('server')} is not empty: it holds ${some(f.list('found'), 12)}. Create an empty database for Rustine there, and give its URL.`,
  'server-of-another': (f) =>
    `The database of server ${f('server')} belongs to another environment. Create an empty database there, and give its URL.`,
  'server-is-environment': (f) =>
    `The URL of server ${f('server')} leads to the environment's own database. Give that of another database.`,
  'server-known': (f) => `That database is in this environment already, as server ${f('as')}. Name a folder's server ${f('as')}.`,
  'server-unreachable': (f) =>
    `Server ${f('server')} (${f('url')}) cannot be reached: ${why(f)}.${f.has('folders') ? ` Its folders were left out: ${some(f.list('folders'), 20)}.` : ''} Check that it runs, and that its URL and password (RUSTINE_SERVER_${f('server')}_URL, rustine.yaml or ~/.pgpass) are right; then run the command again.`,
  'server-not-member': (f) =>
    `The database at the URL of server ${f('server')} is not the one that was added under this name.${f.has('folders') ? ` Its folders were left out: ${some(f.list('folders'), 20)}.` : ''} Correct RUSTINE_SERVER_${f('server')}_URL or rustine.yaml.`,
  'decision-pending': decisionPending,
  'database-is-server': (f) =>
    `This database is server ${f('server')} of an environment that lives elsewhere: it holds some of its folders only. Give the URL of the environment's own database.`,
  'mirror-behind': (f) =>
    `Folders cannot be made below ${f('folder')} on server ${f('server')} yet: what stands for ${f('folder')} there lacks ${some(f.list('files'), 8)}. Integrate that again (--folders ${f('folder')}): where it is already it changes nothing.`,
  'folder-parent-elsewhere': (f) =>
    `Folder ${f('folder')} cannot live ${f.has('wanted') ? `on server ${f('wanted')}` : "on the environment's own server"} below ${f('parent')}, which lives on server ${f('server')}: a folder lives where its parent does. Add --server ${f('server')}, or choose another parent.`,
  'folder-history-elsewhere': (f) =>
    `Folder ${f('folder')} cannot be the history folder of ${f('of')} from another server: the two live together. ${f.has('server') ? `Add --server ${f('server')}.` : 'Leave --server out.'}`,
  'kept-on-several-servers': (f) =>
    `Entries ${some(f.list('ids'), 20)} are put aside on several servers, and one command changes one server: give those of each in a command of their own.`,
  'export-several-servers': (f) =>
    `${some(f.list('folders'), 20)} live on several servers; an export is one set of one server. Export the folders of each server to a directory of their own.`,
} satisfies Record<string, Sentence>;

export const serverFindings = {
  'server-password': (f) =>
    `Server ${f('server')} was added, but the password of its URL is kept nowhere: later commands could not log in. Set ${f('variable')}, or give the URL in rustine.yaml under servers (readable for its owner only), or the password in ~/.pgpass.`,
  'server-failed': (f) =>
    `Server ${f('server')} could not do its part of the run (${f('cause')}${f.has('reason') ? `: ${why(f)}` : ''}): ${some(f.list('folders'), 20)} did not get everything. Mend that there (\`rustine server show ${f('server')}\` shows it), then run the command again: what is there already stays as it is.`,
  'decision-unknown': (f) =>
    `Run ${f('run')}: what it prepared on this server waits for the decision of the environment's own server, where the run has not ended. Let it end, or stop it with \`rustine cancel ${f('run')}\`; then run \`rustine recover\`.`,
  'part-unsettled': (f) =>
    `Server ${f('server')} does not answer (${f('reason')}): what run ${f('run')} left there when its program died is not settled. The logins of ${some(f.list('folders'), 20)} may be shut until then. Start the server or mend the connection, then run \`rustine recover\` again.`,
  'decision-pending': decisionPending,
  'mirror-failed': (f) =>
    `What stands for ${f('folder')} on server ${f('server')} did not get ${f('patch')} (${some(f.list('causes'))}): no folder there gets it. Mend that in schema ${f('folder').toLowerCase()} of that server's database, then run the command again.`,
  'mirror-not-changed': (f) =>
    `What stands for ${f('folder')} on server ${f('server')} could not be changed in the same way (${f('cause')}${f.has('reason') ? `: ${why(f)}` : ''}). The settings follow with the next run of \`rustine integrate\`; set-up fields have to be set again when the server answers.`,
  'export-elsewhere': (f) =>
    `Scripts of ${some(f.list('folders'), 20)} are not in ${f('directory')}: they live on other servers. \`rustine script export DIR --folders …\` exports those of one server.`,
} satisfies Record<string, Sentence>;

export const serverHelp = {
  server: { is: 'add, list, show and drop further database servers' },
  serverAdd: {
    is: 'add a database server on which folders can live',
    name: 'its name, such as NORTH',
    url: 'URL of an empty database there',
  },
  serverList: { is: 'list the servers with their folders' },
  serverShow: { is: 'show one server', name: 'name of the server' },
  serverDrop: {
    is: 'forget a server on which no folder lives; its database stays as it is',
    name: 'name of the server',
    yes: 'confirm it',
  },
};

export const serverReport = {
  columns: {
    name: 'server',
    url: 'URL',
    state: 'state',
    version: 'PostgreSQL',
    folders: 'folders',
    mirrors: 'stands there for',
    reason: 'reason',
  },
  states: { reachable: 'reachable', unreachable: 'unreachable' },
  none: "All folders live on the environment's own server.",
  added: (name: string) => `Server ${name} added. \`rustine folder create CODE --server ${name}\` makes a folder there.`,
  dropped: (name: string, url: string) =>
    `Server ${name} is forgotten. Its database (${url}) is as it was; drop it where it is no longer needed.`,
};
