import test from 'ava';
import { defineCommand, readCall, UsageError } from '../../src/cli/command.ts';

const command = defineCommand({
	name: 'things paint',
	operand: '<thing>',
	summary: 'paints',
	details: '',
	options: {
		colour: { type: 'string', value: 'NAME', required: true, about: 'which' },
		'brush-size': { type: 'string', value: 'MM', about: 'how large' },
		wet: { type: 'boolean', short: 'w', about: 'not dry' },
	},
	run: () => 0,
});

test('options in all their forms, in any order, the last one wins', (t) => {
	const values = { colour: 'red', 'brush-size': '7', wet: true };
	const expected = { help: false, operand: 'door', values };
	t.like(readCall(command, ['--colour', 'red', '--brush-size=7', '-w', 'door']), expected);
	t.like(readCall(command, ['door', '--wet', '--colour=blue', '--brush-size', '7', '--colour', 'red']), expected);
	t.like(readCall(command, ['--colour', 'red', '--', '-w']), { operand: '-w', values: { wet: false } });
});

test('--help is heard whatever else is missing', (t) => {
	t.deepEqual(readCall(command, ['--help']), { help: true });
	t.deepEqual(readCall(command, ['one', 'two', '-h']), { help: true });
});

const refused = test.macro<[words: string[], problem: string]>({
	exec(t, words, problem) {
		const error = t.throws(() => readCall(command, words), { instanceOf: UsageError });
		t.is(error.message, `things paint: ${problem}; "mesos-overlay things paint --help" says more`);
	},
	title: (_, words) => `refused: ${words.join(' ')}`,
});

test(refused, ['door', '--colour', 'red', '--wte'], 'unknown option "--wte" (did you mean "--wet"?)');
test(refused, ['door', '--colour', 'red', '--transparent'], 'unknown option "--transparent"');
test(refused, ['door', '--colour', 'red', '-x'], 'unknown option "-x"');
test(refused, ['door', '--colour', 'red', '--constructor'], 'unknown option "--constructor"');
test(refused, ['door', '--colour', 'red', '--wet=yes'], 'option "--wet" takes no value, got "yes"');
test(refused, ['door', '--colour'], 'option "--colour" needs a value, NAME');
test(refused, ['door', '--colour='], 'option "--colour" needs a value, NAME');
test(refused, ['door', '--colour', '--wet'], 'option "--colour" needs a value, NAME');
test(refused, ['door'], 'option "--colour" is missing');
test(refused, ['--colour', 'red'], 'expected <thing>');
test(refused, ['door', 'wall', 'roof', '--colour', 'red'], '"wall roof" is too much');

test('a command without an operand takes none', (t) => {
	const { operand: _, ...rest } = command;
	t.throws(() => readCall(rest, ['door', '--colour', 'red']), { message: /"door" is too much/ });
	t.like(readCall(rest, ['--colour', 'red']), { operand: '' });
});
