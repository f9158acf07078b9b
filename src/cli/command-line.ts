// Answers what was typed.

import { writeSync } from 'node:fs';
import manifest from '../../package.json' with { type: 'json' };
import { messageOf } from '../ipam/lease-error.ts';
import { systemCode } from '../linux/errno.ts';
import { note } from '../linux/standard-error.ts';
import { writeStdout } from '../linux/standard-output.ts';
import { readCall, UsageError } from './command.ts';
import { commands, findCommand, shortName } from './commands.ts';
import { commandHelp, introduction, programHelp } from './help.ts';
import { suggest } from './suggestion.ts';

/** Returns the exit status: 0, 1 when something is not as it should be, 2 when the words are no command. */
export async function runCommandLine(words: readonly string[]): Promise<number> {
	try {
		return await answer(words);
	} catch (error) {
		const code = systemCode(error);
		if (code === undefined) throw error;
		// Whoever closes the pipe early, as head does, has seen enough.
		if (code !== 'EPIPE') note(messageOf(error));
		return error instanceof UsageError ? 2 : 1;
	}
}

async function answer(words: readonly string[]): Promise<number> {
	const [first] = words;
	switch (first) {
		case undefined:
			// On stderr and with status 0, as the reference plugins do: a runtime may look whether a plugin can be started.
			writeSync(2, introduction);
			return 0;
		case '-h':
		case '--help':
		case 'help':
			writeStdout(programHelp());
			return 0;
		case '-v':
		case '--version':
		case 'version':
			writeStdout(`${manifest.version}\n`);
			return 0;
	}
	const found = findCommand(words);
	if (found === undefined) throw unknown(words);
	const { command, rest } = found;
	const call = readCall(command, rest);
	if (!call.help) return command.run(call.values, call.operand);
	writeStdout(commandHelp(command));
	return 0;
}

function unknown(words: readonly string[]): UsageError {
	const known = commands.map(shortName);
	// The second word may be one, or what a command is to be done with.
	const [group = '', second = ''] = words;
	const isGroup = known.some((name) => name.split(' ')[0] === group);
	const typed = isGroup ? `${group} ${second}`.trimEnd() : group;
	const all = isGroup ? known : [...known, '--help', '--version'];
	return new UsageError(
		`unknown command "${typed}"${suggest(typed, all)}; "mesos-overlay --help" lists what there is`,
	);
}
