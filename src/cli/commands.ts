// All commands, in the order of the help.

import { agent } from './agent.ts';
import type { Command } from './command.ts';
import { configCheck } from './config-check.ts';
import { leasesExport } from './leases-export.ts';
import { leasesImport } from './leases-import.ts';
import { leasesList } from './leases-list.ts';
import { leasesPrune } from './leases-prune.ts';
import { leasesRelease } from './leases-release.ts';
import { master } from './master.ts';
import { restoreCommand } from './restore.ts';

export const commands: readonly Command[] = [
	leasesList,
	leasesRelease,
	leasesImport,
	leasesPrune,
	leasesExport,
	restoreCommand,
	master,
	agent,
	configCheck,
];

/** The command of a group that is meant when only the group is named. */
const DEFAULT = 'list';

/** Finds the command that words begin with, and gives the rest of the words; undefined when there is none. */
export function findCommand(words: readonly string[]): { command: Command; rest: readonly string[] } | undefined {
	const [group = '', second = ''] = words;
	const named = (name: string): Command | undefined => commands.find((command) => command.name === name);
	const command = named(`${group} ${second}`) ?? named(group);
	if (command !== undefined) return { command, rest: words.slice(command.name.split(' ').length) };
	const listed = second === '' || second.startsWith('-') ? named(`${group} ${DEFAULT}`) : undefined;
	return listed && { command: listed, rest: words.slice(1) };
}

/** What a command is called by at the least: `leases` for `leases list`. */
export function shortName({ name }: Command): string {
	return name.endsWith(` ${DEFAULT}`) ? name.slice(0, -DEFAULT.length - 1) : name;
}
