import test from 'ava';
import type { Command } from '../../src/cli/command.ts';
import { commands, findCommand, shortName } from '../../src/cli/commands.ts';
import { commandHelp, programHelp, usageOf } from '../../src/cli/help.ts';
import { readPage } from '../docs/markdown.ts';

for (const [words, name, rest] of [
	['leases', 'leases list', ''],
	['leases list', 'leases list', ''],
	['leases --json', 'leases list', '--json'],
	['leases list --json', 'leases list', '--json'],
	['leases release 9.0.1.2', 'leases release', '9.0.1.2'],
	['leases import --from x', 'leases import', '--from x'],
	['config check x.yaml', 'config check', 'x.yaml'],
] as const) {
	test(`"${words}" is "${name}"`, (t) => {
		const found = findCommand(words.split(' '));
		t.is(found?.command.name, name);
		t.is(found?.rest.join(' '), rest);
	});
}

test('anything else is no command', (t) => {
	for (const words of ['', 'leases all', 'release', '--json', 'list']) t.is(findCommand(words.split(' ')), undefined);
});

test('the help of the program has every command, that of a command every option', (t) => {
	for (const command of commands) {
		t.true(programHelp().includes(`  ${shortName(command)} `), command.name);
		const help = commandHelp(command);
		for (const [name, { about }] of Object.entries(command.options)) {
			t.true(help.includes(`--${name}`), name);
			t.true(help.includes(about), about);
		}
		for (const other of siblingsOf(command)) t.true(help.includes(other.summary), other.name);
	}
});

const siblingsOf = (command: Command) =>
	commands.filter((other) => other !== command && other.name.split(' ')[0] === command.name.split(' ')[0]);

test('no line of a help is longer than a terminal of 120 columns', (t) => {
	for (const help of [programHelp(), ...commands.map(commandHelp)]) {
		for (const line of help.split('\n')) t.true(line.length <= 120, line);
	}
});

test('docs/operations.md shows every command as its help does', (t) => {
	const page = readPage('docs/operations.md').replaceAll(/\s+/g, ' ');
	for (const command of commands) t.true(page.includes(`mesos-overlay ${usageOf(command)}`), command.name);
});
